"""The catalogue of codes and the table of exit statuses as JSON documents."""

from aos.errors import CODES, Exit
from aos.errors.codes import EXIT_MEANINGS
from aos.wire.results.documents import Document, envelope

__all__ = ["code", "codes", "exit_codes", "explanation"]


def explanation(name: str) -> Document:
    """The document `aos.explain/1` about one code of the catalogue."""
    return {**envelope("aos.explain/1"), **code(name)}


def codes() -> Document:
    """The document `aos.codes/1`: the whole catalogue."""
    return {**envelope("aos.codes/1"), "codes": [code(name) for name in CODES]}


def code(name: str) -> Document:
    """One row of the catalogue; `type` is what the problem documents say."""
    row = CODES[name]
    return {
        "code": name,
        "type": f"urn:aos:problem:{row.area}.{name}",
        "area": row.area,
        "title": row.title,
        "meaning": row.meaning,
        "fix": row.fix,
        "exit_code": int(row.exit),
        "status": row.status,
        "retryable": row.retryable,
    }


def exit_codes() -> list[Document]:
    """The table of exit statuses."""
    return [{"exit_code": int(status), "meaning": EXIT_MEANINGS[status]} for status in Exit]
