"""Questions that a policy answers alike: they differ in nothing that its rules speak of.

A rule can look at a fact only by its name, so a name that the text does not have is a fact that nobody looks at. Where
a rule does anything else with `context` as a whole (Cedar can compare it), every question stays what it is. Rules that
name no plan say the same of each.
"""

import re
from collections.abc import Callable

from aos.domain.approvals.policies import Facts, Question

__all__ = ["alike"]

_WHOLE = re.compile(r"\bcontext\b(?!\s*(?:\.|\[|has\b))")
_NOTHING = Facts(1, False, False, False, False, False)


def alike(text: str) -> Callable[[Question], Question]:
    """From a question to the one that stands for all that rules of this text answer alike."""
    if _WHOLE.search(text):
        return lambda question: question
    unspoken = {name: getattr(_NOTHING, name) for name in Facts._fields if name not in text}
    any_plan = "Plan" not in text

    def plain(question: Question) -> Question:
        resource = "" if any_plan and question.action == "run" else question.resource
        return question._replace(resource=resource, facts=question.facts._replace(**unspoken))

    return plain
