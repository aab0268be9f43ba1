"""What the runtime asks before, while and after it runs: forecasts, answers, and the records of runs."""
