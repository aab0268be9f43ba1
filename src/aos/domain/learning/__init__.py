"""Records of runs, what is learned from them, and how it held."""
