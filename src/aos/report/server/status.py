"""What a server says of itself and of who asks."""

from collections.abc import Mapping
from typing import Any

from aos.report.figures import chance, duration, money
from aos.report.parts.page import BAD, FAINT, GOOD, OPEN, STRONG, Line, Page

_VERDICT = {"feasible": GOOD, "infeasible": BAD, "undetermined": OPEN}
_DECISION = {"allow": GOOD, "requires_approval": OPEN, "deny": BAD}
_STATUS = {"healthy": GOOD, "degraded": OPEN, "unhealthy": BAD}


def whoami(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """Who the server takes the caller for, and what they may do."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add([(str(document["subject"]), STRONG), (f"  {document['issuer']}", FAINT)])
    page.add()
    page.add(page.table("lw", _rows(document)))
    return str(page)


def _rows(document: Mapping[str, Any]) -> list[list[Line]]:
    rows: list[list[Line]] = [
        [("server", FAINT), str(document["server"])],
        [("context", FAINT), str(document["context"] or "none")],
        [("tenant", FAINT), str(document["tenant_id"])],
    ]
    if document["kind"] == "machine":
        scopes = ", ".join(map(str, document["scopes"]))
        return [*rows, [("machine", FAINT), f"may {scopes}" if document["scopes"] else "may nothing"]]
    asked = "asked just now" if document["live"] else "by the token alone; nobody could be asked"
    roles = ", ".join(map(str, document["roles"])) or "none"
    return [
        *rows,
        [("level", FAINT), [str(document["level"]), (f"  {asked}", FAINT)]],
        [("roles", FAINT), roles],
    ]


def health(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """Whether a server is well, and what it depends on."""
    page = Page(width=width, colour=colour, ascii=ascii)
    status = str(document["status"])
    page.add([(status.upper(), _STATUS.get(status, "")), (f"  {document['server']}", FAINT)])
    checks: list[list[Line]] = [
        [str(name), (str(state), GOOD if state == "ok" else BAD)]
        for name, state in document["checks"].items()
    ]
    if checks:
        page.add()
        page.add(page.table("nl", checks))
    return str(page)


def decision(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """What a server decided on a plan, and why."""
    page = Page(width=width, colour=colour, ascii=ascii, labels=8)
    said, level = str(document["decision"]), document["approval_level_required"]
    asked = "" if level is None else f"  of level {level}"
    page.add([(said.upper().replace("_", " "), f"bold {_DECISION.get(said, BAD)}"), asked])
    page.section("why", [str(reason) for reason in document["reasons"]])
    page.section("cost", [f"p95 {money(document['simulated_cost_cents'])}"])
    digest = str(document["policy_version"]).removeprefix("sha256:")[:8]
    page.section("basis", [(f"policy {digest}  {document['server']}", FAINT)])
    return str(page)


def capabilities(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """What the caller can do at a server."""
    page = Page(width=width, colour=colour, ascii=ascii)
    page.add([(str(document["tenant_id"]), STRONG), (f"  {document['server']}", FAINT)])
    left = document["budget_remaining_cents"]
    reasons = {str(entry["pointer"]): str(entry["reason"]) for entry in document["unknowns"]}
    why = reasons.get("/budget/remaining_cents")
    page.add(f"budget left: {money(left)}" + (f" ({why})" if left is None and why else ""))
    page.add()
    head: list[Line] = [(word, FAINT) for word in ("skill", "", "cost", "typical")]
    rows: list[list[Line]] = [
        [
            str(name),
            ("may be called", GOOD) if one["available"] else ("not here, or not by you", BAD),
            money(one["cost_estimate_cents"]),
            duration(one["avg_latency_ms"]),
        ]
        for name, one in document["skills"].items()
    ]
    page.add(page.table("nlrr", [head, *rows]))
    return str(page)


def forecast(document: Mapping[str, Any], server: str, width: int, colour: bool, ascii: bool = False) -> str:
    """A server's forecast in short: the verdict, typical figures, why, and what would help."""
    page = Page(width=width, colour=colour, ascii=ascii)
    decision = str(document["verdict"])
    typical = f"  {money(document['estimated_cost_cents'])}, typically {duration(document['estimated_duration_ms'])}"
    page.add([(decision.upper(), f"{STRONG} {_VERDICT.get(decision, '')}"), typical])
    success = document["chances"].get("success")
    if success is not None:
        page.add(f"{chance(success['value'])} of runs succeed")
    reasons: list[list[Line]] = [
        [(str(reason["code"]), BAD), str(reason["detail"])] for reason in document["reasons"]
    ]
    gaps: list[list[Line]] = [
        [("permission_denied", BAD), str(gap["detail"])] for gap in document["permission_gaps"]
    ]
    waits: list[list[Line]] = [
        [("approval", OPEN), f"{wait['step'] or 'the plan'} waits for a person of level {wait['level']}"]
        for wait in document["approvals"]
    ]
    if reasons or gaps or waits:
        page.add()
        page.add(page.table("lw", [*reasons, *gaps, *waits]))
    page.add()
    page.add((f"computed by {server}; --json has all of it", FAINT))
    return str(page)
