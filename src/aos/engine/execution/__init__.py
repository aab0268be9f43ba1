"""How attempts become a run: order, slots, rate limits, clocks and the budget."""
