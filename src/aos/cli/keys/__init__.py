"""The keys with which a server signs webhooks."""
