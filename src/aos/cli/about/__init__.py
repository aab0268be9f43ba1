"""Commands about aos itself."""
