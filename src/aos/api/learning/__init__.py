"""Use cases that learn from recorded runs, and score forecasts by them."""
