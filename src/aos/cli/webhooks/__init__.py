"""Webhooks of a server: where messages go, what became of them, and a receiver to try things with."""
