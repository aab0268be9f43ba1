"""The verification of a saved result for people: whether it still comes out, and what drifted."""

import json
from collections.abc import Iterator

import aos
from aos.domain.forecasts.verifications import Drift, Verification
from aos.report.parts.page import BAD, FAINT, GOOD, STRONG, Line, Page, left_out
from aos.wire.problems import visible

_FIGURES, _VALUE, _DIGITS = 12, 24, 8
"""Figures shown, characters of a value, digits of a digest."""


def verification(found: Verification, width: int, colour: bool, ascii: bool = False) -> str:
    """The whole answer, at most `width` columns wide (it uses 40 to 100)."""
    page = Page(width=width, colour=colour, ascii=ascii, labels=8)
    page.add(_headline(found))
    for drift in found.drifts:
        page.section(drift.input, [*_moved(drift), drift.detail])
    page.section("figures", _figures(found))
    if found.computed_by != aos.__version__:
        page.section("basis", [(f"computed by aos {found.computed_by}, again by {aos.__version__}", FAINT)])
    return str(page)


def _headline(found: Verification) -> Line:
    if found.match:
        return [("MATCH", f"bold {GOOD}"), "  every figure comes out as it was saved"]
    if found.drifts:
        words = f"changed since: {', '.join(drift.input for drift in found.drifts)}"
    else:
        words = "the same inputs give other figures than were saved"
    return [("DRIFT", f"bold {BAD}"), f"  {words}"]


def _moved(drift: Drift) -> Iterator[Line]:
    if drift.saved is not None and drift.now is not None:
        yield [(_short(drift.saved), STRONG), " → ", (_short(drift.now), STRONG)]


def _short(value: str | int) -> str:
    text = str(value)
    return text.removeprefix("sha256:")[:_DIGITS] if text.startswith("sha256:") else text


def _figures(found: Verification) -> Iterator[Line]:
    if found.drifts and found.recomputed and not found.figures:
        yield "come out as they were saved all the same"
    for change in found.figures[:_FIGURES]:
        yield [(f"{change.pointer}  ", FAINT), f"{_value(change.before)} → {_value(change.after)}"]
    yield from left_out(len(found.figures) - _FIGURES)


def _value(value: object) -> str:
    return visible(json.dumps(value, ensure_ascii=False), _VALUE)
