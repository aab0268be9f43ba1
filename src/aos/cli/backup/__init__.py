"""Backups of a server's database."""
