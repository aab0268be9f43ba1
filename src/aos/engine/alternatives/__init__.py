"""Alternatives: what to change where a plan is not feasible, or could be cheaper or faster.

`edits` are changes as values, `levers` find those worth trying, `arrangement` those of the order of steps,
`ceilings` say what an unknown figure may be at most, `trials` simulate each with the luck of the plan as it
is, and `search` offers those that keep what they promise.
"""

from aos.engine.alternatives.search import alternatives

__all__ = ["alternatives"]
