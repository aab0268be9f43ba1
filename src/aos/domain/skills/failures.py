"""The catalogue of failures: every code that an attempt can fail with, what it says of the world, and what to do.

A skill's descriptor says how often each happens to it and may file a code under another category; codes of a team's
own skills stand in their descriptors alone.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from aos.domain.skills.skill import Category

Effect = Literal["none", "committed", "unknown"]
"""Whether an attempt touched the world. `unknown`: it may have, and nobody can tell from here."""


class FailureKind(NamedTuple):
    """`effect` is what a failure of this code leaves behind, unless the skill knows better (it only reads)."""

    category: Category
    effect: Effect
    meaning: str
    advice: str


FAILURES: Mapping[str, FailureKind] = {
    # -- the way there ---------------------------------------------------------------------------
    "CONNECTION": FailureKind(
        "TRANSIENT", "none", "No connection came about.", "Check the address and whether the service is up."
    ),
    "TIMEOUT": FailureKind(
        "TRANSIENT",
        "unknown",
        "No answer came in time.",
        "Try again later, or give the step more time with `timeout_s`.",
    ),
    "ADDRESS_REFUSED": FailureKind(
        "PERMISSION",
        "none",
        "The address is not one that a plan may reach.",
        "Allow the host with --allow-host, or private networks with --allow-private, if that is meant.",
    ),
    # -- what the other side says ----------------------------------------------------------------
    "RATE_LIMITED": FailureKind(
        "TRANSIENT", "none", "The service takes no more calls for now.", "Wait, then run it again."
    ),
    "OVERLOADED": FailureKind("TRANSIENT", "none", "The service is out of capacity.", "Try again later."),
    "HTTP_4XX": FailureKind(
        "PERMANENT", "none", "The service refused the request.", "Correct the request: the status says how."
    ),
    "HTTP_5XX": FailureKind(
        "TRANSIENT", "unknown", "The service failed while it handled the request.", "Try again later."
    ),
    "BAD_REPLY": FailureKind(
        "PERMANENT", "unknown", "The answer can't be used: broken, or not what it says it is.", "Look at it."
    ),
    "REPLY_TOO_LARGE": FailureKind(
        "PERMANENT", "unknown", "The answer is over the limit.", "Ask for less, or for a part of it."
    ),
    "CONTEXT_TOO_LONG": FailureKind(
        "PERMANENT", "none", "The model takes no prompt of that length.", "Shorten the prompt."
    ),
    "REJECTED": FailureKind(
        "PERMANENT", "none", "The mail server refused the message.", "Check sender and recipients."
    ),
    "DEFERRED": FailureKind("TRANSIENT", "none", "The mail server asks to try again.", "Try again later."),
    # -- here ------------------------------------------------------------------------------------
    "BAD_PARAMS": FailureKind(
        "PERMANENT",
        "none",
        "With its references resolved, a parameter breaks the skill's input schema.",
        "Correct the parameter, or look at the output that it was taken from.",
    ),
    "BAD_QUERY": FailureKind(
        "PERMANENT", "none", "The query is malformed, or fails on this input.", "Correct the query."
    ),
    "BAD_OUTPUT": FailureKind(
        "PERMANENT",
        "unknown",
        "What the skill returned breaks its own output schema.",
        "Mend the skill, or the schema in its descriptor.",
    ),
    "INPUT_TOO_LARGE": FailureKind("PERMANENT", "none", "The input is over the skill's limit.", "Send less."),
    "NOT_FOUND": FailureKind("PERMANENT", "none", "There is no such file.", "Check the path."),
    "DENIED": FailureKind(
        "PERMISSION", "none", "The file may not be read or written.", "Keep to the workspace, and to files."
    ),
    "DISK_FULL": FailureKind("RESOURCE", "none", "There is no room left.", "Free some space."),
    "SECRET_MISSING": FailureKind(
        "PERMISSION",
        "none",
        "A secret that a parameter names is not to be found, or too short to be masked.",
        "Set AOS_SECRET_NAME, or give it in the file of secrets that aos.toml names, or in the keyring.",
    ),
    "SKILL_ERROR": FailureKind(
        "PERMANENT", "unknown", "The skill itself broke.", "Mend the skill: its message says where."
    ),
    "CANCELLED": FailureKind(
        "TRANSIENT", "unknown", "The run was stopped while the attempt was under way.", "Resume the run."
    ),
    "INTERRUPTED": FailureKind(
        "TRANSIENT",
        "unknown",
        "The process ended while the attempt was under way, so nobody saw its outcome.",
        "Find out whether it took effect, then `aos runs reconcile`.",
    ),
}
