"""Backups, on the host: for when the API is down, and for what it does not do."""
