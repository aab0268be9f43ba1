"""Use cases that ask a server."""
