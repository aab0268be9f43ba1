"""The card of a request as a page, with one text wherever a requester's can stand."""

from typing import Any

from aos.domain.approvals import requests as approvals
from aos.domain.approvals.requests import Party
from aos_server.identity.caller import Caller, Principal
from aos_server.services.requests.inbox import Looked
from aos_server.web import card
from aos_server.web.render import html
from tests.unit.report.approvals.requests import NOW, asked

EVE = Caller(Principal("https://login.example", "eve"), "acme", "human", ("owner",), 5, True)


def page(text: str, **plan: Any) -> str:
    """The card with that text wherever a requester's, a requester's name or a service's answer can stand."""
    request = asked(text)
    given = {"plan_name": text, "review": None, "plan": {**request.document["plan"], **plan}}
    document = {**request.document, **given}
    state = approvals.opened((Party("https://login.example", "ann"),), 4, NOW, digest=document["digest"])
    looked = Looked(document, state, request.envelope, request.changes, NOW)
    steps = card.steps(looked, 0, card.MOST_STEPS)
    told = dict.fromkeys(("title", "code", "detail", "fix"), text)
    found = html(
        "card",
        caller=EVE,
        token="t",
        notice={**told, "findings": [(text, text, text)], "changes": [(text, text, text)]},
        asked=document,
        open=True,
        deadline="in 1 d",
        mine=[],
        sections=list(card.told(looked)),
        steps=steps,
        plan_name=card.cut(text),
        inputs=card.values(document["plan"]["inputs"]),
        total=len(document["plan"]["steps"]),
        more=len(document["plan"]["steps"]) - len(steps),
        may=card.choices(looked, EVE),
        after_yes=card.after_yes(looked),
        after_higher=card.after_higher(looked),
    )
    return found.body.decode()
