"""Whether forecasts came true: scores on runs that came later."""
