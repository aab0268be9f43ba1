"""What a shell may complete besides commands and options: words that only the data knows."""

from contextlib import suppress

from aos.errors import AosError

__all__ = ["codes", "queries", "runs", "skills"]

_RUNS = 50


def queries(start: str) -> list[str]:
    """Types of questions."""
    from aos.api.running.queries import QUERIES

    return _starting(start, list(QUERIES))


def codes(start: str) -> list[str]:
    """Codes of reasons, errors and failures."""
    from aos.domain.skills.failures import FAILURES
    from aos.errors import CODES

    return _starting(start, [*CODES, *FAILURES])


def skills(start: str) -> list[str]:
    """Skills of the catalogs that hold here."""
    from aos.api.files.sources import load_catalog
    from aos.files.config import find_config

    with suppress(AosError):
        return _starting(start, list(load_catalog((), find_config()).skills))
    return []


def runs(start: str) -> list[str]:
    """The latest runs of the ledger that holds here."""
    from aos.api.running.runs import listed

    with suppress(AosError):
        return _starting(start, [one.id for one in listed(None, limit=_RUNS)])
    return []


def _starting(start: str, words: list[str]) -> list[str]:
    return [word for word in words if word.startswith(start)]
