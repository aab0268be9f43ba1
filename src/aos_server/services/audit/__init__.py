"""The log of what was done: rows, the tree over them, and the signed notes that fix its state."""
