"""How large a plan may be."""

MAX_STEPS = 200
"""Of a plan that a command reads."""
MAX_STEPS_API = 5_000
"""Of one that a server takes."""
MAX_INSTANCES = 5_000
"""Steps with all their items and iterations."""
MAX_ITERATIONS = 100
MAX_ITEMS = 50
