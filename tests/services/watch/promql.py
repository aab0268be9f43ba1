"""What queries ask for: metrics, the labels they are chosen by, and those that they are grouped by."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import promql_parser as promql

Series = Mapping[str, str]
"""The labels of one series, `__name__` with them."""
RANGE = re.compile(r"\$__(?:rate_interval|range|interval)")


class Asked(NamedTuple):
    """A metric as a query asks for it. `groups` are the labels that it must have to be grouped or matched by."""

    metric: str
    matchers: tuple[tuple[str, promql.MatchOp, str], ...]
    groups: frozenset[str]

    def among(self, series: Sequence[Series]) -> list[str]:
        """What of it is not among the series there are, in words; nothing: all is."""
        there = [one for one in series if one["__name__"] == self.metric]
        if not there:
            return [f"there is no metric {self.metric}"]
        labels = set().union(*there)
        groups = set() if self.metric == "ALERTS" else self.groups  # whose labels are those of what fires
        wrong = [f"{self.metric} has no label {label}" for label in sorted(groups - labels)]
        for label, op, value in self.matchers:
            values = {one[label] for one in there if label in one}
            if not values:
                wrong.append(f"{self.metric} has no label {label}")
            elif not any(_chosen(op, value, one) for one in values) and not _event(label):
                wrong.append(f"{label} of {self.metric} is never {value}")
        return wrong


def asked(query: str) -> list[Asked]:
    """Everything that a query asks for. Variables of Grafana stand for everything, or for five minutes."""
    filled = RANGE.sub("5m", query).replace('"$instance"', '".+"')
    return list(_selectors(promql.parse(filled), frozenset()))


def _selectors(node: Any, groups: frozenset[str]) -> Iterator[Asked]:
    match node:
        case promql.VectorSelector():
            matchers = tuple((one.name, one.op, one.value) for one in node.matchers.matchers)
            yield Asked(str(node.name), matchers, groups)
        case promql.MatrixSelector():
            yield from _selectors(node.vector_selector, groups)
        case promql.AggregateExpr():
            by = node.modifier.labels if node.modifier else []
            yield from _selectors(node.expr, groups | set(by))
        case promql.BinaryExpr():
            on = node.modifier.matching.labels if node.modifier and node.modifier.matching else []
            for side in (node.lhs, node.rhs):
                yield from _selectors(side, groups | set(on))
        case promql.Call():
            made = {node.args[1].val} if node.func.name == "label_replace" else set()
            for argument in node.args:
                yield from _selectors(argument, groups - made)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            yield from _selectors(node.expr, groups)


def _chosen(op: promql.MatchOp, value: str, there: str) -> bool:
    found = (
        re.fullmatch(value, there) is not None
        if op in (promql.MatchOp.Re, promql.MatchOp.NotRe)
        else value == there
    )
    return found != (op in (promql.MatchOp.NotEqual, promql.MatchOp.NotRe))


def _event(label: str) -> bool:
    """Whether values of the label come with what happens: there is no status 503 before the first."""
    return label == "status"
