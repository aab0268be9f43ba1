"""What the rules allow: Cedar policies over facts of a forecast. Reads no file but its own, and knows no clock.

Cedar is the engine (the extra `policy`); it loads with the first decision.
"""
