"""Commands about skills and the catalogs that describe them."""
