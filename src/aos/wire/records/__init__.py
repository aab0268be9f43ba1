"""Records of runs: of any table or file, of the ledger, and as they are pushed to a server."""
