"""The catalogue of codes and the table of exit statuses as JSON documents."""

from aos.errors import CODES, Exit
from aos.errors.codes import EXIT_MEANINGS
from aos.wire.results.documents import Document, envelope

__all__ = ["code", "codes", "exit_codes", "explanation"]


def explanation(name: str) -> Document:
    """The document `aos.explain/1` about one code of the catalogue, or one of a failure."""
    return {**envelope("aos.explain/1"), **(code(name) if name in CODES else failure(name))}


def codes() -> Document:
    """The document `aos.codes/1`: the whole catalogue, and how attempts fail."""
    from aos.domain.skills.failures import FAILURES

    return {
        **envelope("aos.codes/1"),
        "codes": [code(name) for name in CODES],
        "failures": [failure(name) for name in FAILURES],
    }


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


def failure(name: str) -> Document:
    """A code with which an attempt fails: a row like the others, with its category and what it leaves behind."""
    from aos.domain.skills.failures import FAILURES

    row = FAILURES[name]
    return {
        "code": name,
        "type": f"urn:aos:problem:attempt.{name}",
        "area": "attempt",
        "title": "An attempt failed",
        "meaning": row.meaning,
        "fix": row.advice,
        "exit_code": int(Exit.STEPS_FAILED),
        "status": 200,
        "retryable": row.category == "TRANSIENT",
        "category": row.category,
        "effect": row.effect,
    }


def exit_codes() -> list[Document]:
    """The table of exit statuses."""
    return [{"exit_code": int(status), "meaning": EXIT_MEANINGS[status]} for status in Exit]
