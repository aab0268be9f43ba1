"""What one attempt draws: distributions, the luck of each call, blocks of whole runs."""
