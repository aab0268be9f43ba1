"""The exit status of a verdict, as far as the caller has not chosen otherwise."""

from typer import BadParameter

from aos.domain.forecasts.verdicts import Verdict
from aos.errors import Exit
from aos.wire.results.simulations import EXITS

FAIL_ON = frozenset({"infeasible", "undetermined"})


def fail_on_words(text: str) -> frozenset[str]:
    """The value of --fail-on."""
    words = frozenset(text.split(","))
    if words == {"none"}:
        return frozenset({"none"})
    if not words <= FAIL_ON | {"approval"}:
        raise BadParameter("expected infeasible, undetermined or approval, joined by commas; or none")
    return words


def exit_status(verdict: Verdict, fail_on: frozenset[str]) -> Exit:
    """0 for every verdict that `fail_on` does not name. Waiting for a person is no failure unless it does."""
    if verdict.decision in fail_on:
        return EXITS[verdict.decision]
    if verdict.decision == "feasible" and verdict.approvals and "approval" in fail_on:
        return Exit.PENDING
    return Exit.YES
