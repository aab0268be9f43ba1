"""Use cases that forecast: one plan, many, two side by side, a saved result again."""
