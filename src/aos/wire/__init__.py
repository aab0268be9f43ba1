"""Documents on one side, the domain's values on the other: the only parser, and every published format."""
