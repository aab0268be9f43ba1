"""The audit log of a server."""
