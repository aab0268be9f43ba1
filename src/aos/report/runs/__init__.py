"""Runs for people: as they go on, and as they went."""
