"""Rows of the table of commands: those about approval requests."""

from collections.abc import Mapping

from aos.cli.command import TOKEN, Command
from aos.errors import Exit

__all__ = ["APPROVING"]

_ID = "0b44a8bd-8e6a-4c4e-9b9b-0f6a3b6ad1c1"

APPROVING: Mapping[str, Command] = {
    "requests list": Command(
        "requests.list_requests:list_requests",
        "Approval requests of your tenant: all, yours, or those that wait for you",
        "aos requests --waiting",
        ("aos.requests/1", "aos.request-line/1"),
        (Exit.FORBIDDEN, Exit.TRANSIENT),
        writes=TOKEN,
        network=True,
    ),
    "requests create": Command(
        "requests.create:create",
        "Ask for an approval to run a plan",
        'aos requests create plan.json --why "prices for the weekly report"',
        ("aos.approval-request/1",),
        (
            Exit.NO,
            Exit.FORBIDDEN,
            Exit.TRANSIENT,
            Exit.PENDING,
            Exit.CONFLICT,
            Exit.UNKNOWN_EFFECT,
            Exit.TIMED_OUT,
        ),
        writes=TOKEN,
        network=True,
    ),
    "requests show": Command(
        "requests.show:show",
        "Show a request: who asks, why, what exactly, what it will cost and do",
        f"aos requests show {_ID} --wait --timeout 2h",
        ("aos.approval-request/1",),
        (Exit.NO, Exit.FORBIDDEN, Exit.TRANSIENT, Exit.PENDING, Exit.TIMED_OUT),
        writes=TOKEN,
        network=True,
    ),
    "requests cancel": Command(
        "requests.change:cancel",
        "Take back a request that you made",
        f"aos requests cancel {_ID}",
        ("aos.decisions/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT, Exit.CONFLICT, Exit.UNKNOWN_EFFECT),
        writes=TOKEN,
        network=True,
    ),
    "requests escalate": Command(
        "requests.change:escalate",
        "Have people of one level higher decide on a request",
        f"aos requests escalate {_ID}",
        ("aos.decisions/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT, Exit.CONFLICT, Exit.UNKNOWN_EFFECT),
        writes=TOKEN,
        network=True,
    ),
    "requests review": Command(
        "requests.change:review",
        "Close the review of a request that one person approved alone",
        'aos requests review ID --justified --why "nobody else was there"',
        ("aos.decisions/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT, Exit.CONFLICT, Exit.UNKNOWN_EFFECT),
        writes=TOKEN,
        network=True,
    ),
    "requests waits": Command(
        "requests.waits:waits",
        "Learn how long people take to decide, as a catalog for forecasts",
        "aos requests waits --out waits.json",
        ("aos.approval-waits/1",),
        (Exit.FORBIDDEN, Exit.TRANSIENT),
        writes="the file named by --out",
        network=True,
    ),
    "approve": Command(
        "requests.decide:approve",
        "Approve requests, each shown first: what it is, what it will cost and do",
        f"aos approve {_ID}",
        ("aos.decisions/1",),
        (Exit.NO, Exit.FORBIDDEN, Exit.TRANSIENT, Exit.CONFLICT, Exit.UNKNOWN_EFFECT),
        writes=TOKEN,
        network=True,
    ),
    "reject": Command(
        "requests.decide:reject",
        "Reject requests, with a reason",
        f'aos reject {_ID} --why "too dear"',
        ("aos.decisions/1",),
        (Exit.NO, Exit.FORBIDDEN, Exit.TRANSIENT, Exit.CONFLICT, Exit.UNKNOWN_EFFECT),
        writes=TOKEN,
        network=True,
    ),
}
