"""What records teach about sizes: which features a time or price grows with, and in which form."""
