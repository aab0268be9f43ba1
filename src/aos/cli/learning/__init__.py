"""The commands that learn from recorded runs and score what was learned."""
