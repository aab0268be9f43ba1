"""Runs: what is to be done, what happened, and what of it is on record."""
