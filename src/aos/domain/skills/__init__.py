"""Skills: what a step can call, and every figure and failure that a catalog states of it."""
