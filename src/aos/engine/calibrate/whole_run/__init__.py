"""What records teach about whole runs: their shape, what steps share, hidden slots."""
