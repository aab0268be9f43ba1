"""Plans: steps, their order, what they hand on, and when a step is tried again."""
