"""Commands about recorded runs and the ledger that holds them."""
