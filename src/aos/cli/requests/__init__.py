"""Approval requests: make them, look at them, decide on them."""
