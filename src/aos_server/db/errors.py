"""What an error of Postgres, PgBouncer or the pool means to a caller: decided here and nowhere else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import PoolTimeout, TooManyRequests

from aos.errors import AosError, Finding, InputError
from aos_server.metrics import NO_CONNECTION
from aos_server.settings import LISTED

__all__ = ["POOLED", "reached", "translate", "translated", "unavailable", "unsuited"]

RETRY_AFTER_S = 2.0

# SQLSTATEs, or their class (the first two characters), after which the same call may succeed.
_PASSING = {
    "08": "the connection to the database was lost",  # 08P01: PgBouncer has no connection to give
    "53": "the database has no room for more work",  # 53300: too many connections
    "57": "the database is restarting",
    "57P03": "the database is starting",
    "58": "the database has trouble with its disk or memory",
    "25006": "the database takes no changes for now",  # a standby, as after a failover
    "57014": "the database took too long",  # statement_timeout
    "55P03": "another call holds what this one needs",  # lock_timeout
    "40": "another call got in between",  # serialization failure, deadlock
    "25P03": "the transaction was left open too long",
    "25P04": "the transaction took too long",
}


def translate(error: Exception) -> AosError | None:
    """The failure that `error` is to a caller; None where it is a fault of ours, which no retry mends.

    Neither SQL nor a host's name is in it: what Postgres says goes to the log.
    """
    if isinstance(error, PoolTimeout | TooManyRequests):
        return unavailable("no connection to the database became free")
    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate
    if state == "55P03" and 'relation "idempotency_keys"' in (error.diag.context or ""):
        detail = "another request with this Idempotency-Key is still running"
        return AosError("request_in_progress", detail, retry_after_s=RETRY_AFTER_S)
    if state in _UNSTORABLE or (state is None and isinstance(error, psycopg.DataError)):
        return AosError("bad_value", "a text holds the character U+0000, which can't be stored")
    if state is None:  # libpq's own: no connection, or one that was cut
        return unavailable("the database can't be reached") if _is_connection(error) else None
    why = _PASSING.get(state) or _PASSING.get(state[:2])
    return unavailable(why) if why else None


_UNSTORABLE = ("22021", "22P05")  # what JSON may say and Postgres can't keep


@contextmanager
def translated() -> Iterator[None]:
    """Within it, errors of Postgres are what `translate` makes of them; faults of ours stay what they are."""
    try:
        yield
    except (psycopg.Error, PoolTimeout, TooManyRequests) as error:
        if isinstance(error, PoolTimeout):
            NO_CONNECTION.inc()
        meant = translate(error)
        if meant is None:
            raise
        raise meant from error


@contextmanager
def reached(setting: str) -> Iterator[None]:
    """Around a connection that is made by hand, on the host, to the address in that setting.

    A refusal has the words of who refuses. They may name a role or a database, which no answer to a caller does. Raises
    AosError(unavailable), and InputError(invalid_config) for what is no address.
    """
    try:
        yield
    except psycopg.ProgrammingError as error:
        why = str(error).strip()
        finding = Finding(f"/{setting}", "bad_value", f"{setting} is no address that libpq reads: {why}")
        raise InputError.of("invalid_config", "environment", [finding], fix=LISTED) from None
    except psycopg.OperationalError as error:
        _, refused, words = str(error).partition("FATAL:")
        why = words.strip().partition("\n")[0]
        if not refused:
            said = _WHY.search(str(error))
            why = f"it can't be reached: {said[1]}" if said else "it can't be reached"
        raise unavailable(f"the database: {why}") from error


# What libpq says of why it failed, without the addresses that it tried.
_WHY = re.compile(r"(?:failed: |is bad: |\[Errno -?\d+\] )(?!connection to server)(.+)")


def _is_connection(error: psycopg.Error) -> bool:
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


POOLED = "it leads to a pooler, which keeps nothing from one transaction to the next; name the port of Postgres itself"


def unsuited(setting: str, why: str) -> InputError:
    """The refusal of an address that leads somewhere, but not where it has to."""
    finding = Finding(f"/{setting}", "unsafe_setting", f"{setting}: {why}")
    return InputError.of("invalid_config", "environment", [finding], fix=LISTED)


def unavailable(why: str) -> AosError:
    """The 503 where the same call may succeed in a moment."""
    return AosError("unavailable", why, retry_after_s=RETRY_AFTER_S)
