"""Forecasts, the verdicts on them, and what would change either."""
