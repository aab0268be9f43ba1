"""What changed between two policies, rule by rule."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from aos.domain.approvals.policies import Rule
from aos.policy.rules import Policy

__all__ = ["Differences", "differences"]


class Differences(NamedTuple):
    """Rules that only the one or the other has; and those of one id that say something else now, before and after.

    A rule that only moved, or whose comments changed, is the same rule.
    """

    added: tuple[Rule, ...]
    removed: tuple[Rule, ...]
    changed: tuple[tuple[Rule, Rule], ...]


def differences(before: Policy, after: Policy) -> Differences:
    """Compare by meaning first; what is left is matched by its id."""
    same = Counter(before.forms) & Counter(after.forms)
    old, new = ({rule.id: rule for rule in _others(policy, same)} for policy in (before, after))
    return Differences(
        tuple(rule for name, rule in new.items() if name not in old),
        tuple(rule for name, rule in old.items() if name not in new),
        tuple((old[name], rule) for name, rule in new.items() if name in old),
    )


def _others(policy: Policy, same: Counter[str]) -> Iterator[Rule]:
    left = same.copy()
    for rule, form in zip(policy.rules, policy.forms, strict=True):
        if left[form]:
            left[form] -= 1
        else:
            yield rule
