"""The commands about keys: those that services call with, and those that sign webhooks."""
