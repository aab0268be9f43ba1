"""What was learned from records, and how far it can be trusted, for people."""
