"""What is served where: one module per noun of the API, and the table of all of them."""
