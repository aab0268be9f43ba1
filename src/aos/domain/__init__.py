"""What things are: skills, plans, forecasts, verdicts. Frozen values and their rules, standard library only."""
