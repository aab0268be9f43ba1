"""What operators do at a server."""
