"""The commands that forecast."""
