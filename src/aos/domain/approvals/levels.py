"""Levels: how much whoever approves may decide, from little to all."""

LEVELS = (1, 2, 3, 4, 5)
