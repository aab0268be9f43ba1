"""Replaying policies: what is on record here, and what rules would have said of it."""
