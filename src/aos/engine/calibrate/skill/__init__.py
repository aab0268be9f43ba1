"""What records teach about one skill: its level and spread, failures, age."""
