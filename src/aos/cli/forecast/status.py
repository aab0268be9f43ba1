"""The exit status of a verdict, as far as the caller has not chosen otherwise."""

from collections.abc import Sequence

from typer import BadParameter

from aos.domain.forecasts.attribution import Evidence
from aos.domain.forecasts.verdicts import Decision, Verdict
from aos.errors import Exit
from aos.wire.results.simulations import EXITS

FAIL_ON = frozenset({"infeasible", "undetermined"})
_ALSO = frozenset({"approval", "doubt"})


def fail_on_words(text: str) -> frozenset[str]:
    """The value of --fail-on."""
    words = frozenset(text.split(","))
    if words == {"none"}:
        return frozenset({"none"})
    if not words <= FAIL_ON | _ALSO:
        raise BadParameter("expected infeasible, undetermined, approval or doubt, joined by commas; or none")
    return words


def exit_status(verdict: Verdict, fail_on: frozenset[str], evidence: Sequence[Evidence] = ()) -> Exit:
    """The status of a verdict; `evidence` is what would make it firmer."""
    return status_of(verdict.decision, fail_on, waits=bool(verdict.approvals), doubtful=bool(evidence))


def status_of(decision: Decision, fail_on: frozenset[str], *, waits: bool, doubtful: bool) -> Exit:
    """0 for all that `fail_on` does not name. Waiting for a person is no failure unless it does.

    Nor is resting on somebody's word or on few records, which is as undetermined as it is to who asks for `doubt`.
    """
    if decision in fail_on:
        return EXITS[decision]
    if decision == "feasible" and doubtful and "doubt" in fail_on:
        return Exit.UNDETERMINED
    if decision == "feasible" and waits and "approval" in fail_on:
        return Exit.PENDING
    return Exit.YES
