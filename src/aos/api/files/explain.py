"""Codes by name."""

from aos.errors import CODES, AosError


def find_code(name: str) -> str:
    """The code that `name` means: itself, or the `type` of a problem. In capitals it is that of a failure.

    Raises AosError(unknown_code), with the one that was probably meant.
    """
    code = name.rpartition(".")[2]
    if code.lower() in CODES and not code.isupper():
        return code.lower()
    from aos.domain.skills.failures import FAILURES

    if code.upper() in FAILURES:
        return code.upper()
    if code.lower() in CODES:
        return code.lower()
    from aos.wire.shape import no_such

    found = no_such("code", code, (*CODES, *FAILURES), code="unknown_code")
    fix = "`aos help exit-codes` lists exit statuses." if code.isdecimal() else None
    raise AosError(found.code, found.detail, fix=fix, findings=[found])
