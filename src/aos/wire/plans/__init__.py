"""Plans, as people and programs write them."""
