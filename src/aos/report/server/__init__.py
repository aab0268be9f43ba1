"""What a server says, for people."""
