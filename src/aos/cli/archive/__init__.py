"""What of a server's requests and runs is over and out of the way."""
