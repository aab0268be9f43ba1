"""Use cases that run plans, and answer from what is on record."""
