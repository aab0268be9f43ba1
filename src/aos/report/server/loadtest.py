"""A load test, for people."""

from collections.abc import Mapping
from typing import Any

from aos.report.figures import duration
from aos.report.parts.page import BAD, FAINT, GOOD, OPEN, STRONG, Line, Page
from aos.wire.problems import visible

__all__ = ["load_test"]

_VERDICT = {True: ("PASSED", GOOD), False: ("FAILED", BAD), None: ("UNDETERMINED", OPEN)}
_ADVICE = {
    "rate_limited": "A service key in AOS_API_KEY may make more: aos-server key create TENANT --scope read"
    " --scope evaluate --per-minute 100000.",
    "caller_busy": "Call from another machine, or from several.",
    "too_close": "--ops makes more calls.",
    "pool_exhausted": "AOS_DATABASE_POOL, and what PgBouncer lets through, are the number of connections.",
}


def load_test(document: Mapping[str, Any], width: int, colour: bool, ascii: bool = False) -> str:
    """The verdict and why, then how long each kind of call took, and what the server counted."""
    page = Page(width=width, colour=colour, ascii=ascii, labels=10)
    word, style = _VERDICT[document["passed"]]
    rate = f"{document['per_second']:,.0f} calls a second" if document["per_second"] else "no call"
    page.add([(word, style), f"  {document['workers']} workers, {document['calls']:,} calls, {rate}"])
    for reason in document["reasons"]:
        page.add([visible(str(reason["detail"]), 500)])
        if advice := _ADVICE.get(reason["code"]):
            page.add([(advice, FAINT)])
    page.add()
    page.add(page.table("lrrrrr", _rows(document)))
    if document["errors"]:
        page.section("errors", [page.table("lr", _pairs(document["errors"]))])
    if document["counted"]:
        page.section("counted", [page.table("lr", _pairs(document["counted"]))])
    return str(page)


def _rows(document: Mapping[str, Any]) -> list[list[Line]]:
    head: list[Line] = [(name, FAINT) for name in ("", "calls", "p50", "p95", "p99", "max")]
    rows = [("all", document), *document["by_call"].items()]
    return [head, *([(visible(str(name)), STRONG), *_figures(one)] for name, one in rows)]


def _figures(measured: Mapping[str, Any]) -> list[Line]:
    latency = measured["latency_ms"]
    quantiles = [latency[name] and latency[name]["value"] for name in ("p50", "p95", "p99")]
    times = ["-" if ms is None else duration(ms) for ms in (*quantiles, latency["max"])]
    return [f"{measured['calls']:,}", *times]


def _pairs(counts: Mapping[str, Any]) -> list[list[Line]]:
    return [[visible(str(name)), f"{count:,}"] for name, count in counts.items()]
