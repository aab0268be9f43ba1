"""May it be done? The decision, and the rules that made it."""
