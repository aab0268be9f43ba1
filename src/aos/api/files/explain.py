"""Codes by name."""

from aos.errors import CODES, AosError


def find_code(name: str) -> str:
    """The code that `name` means: itself, whatever its case, or the `type` of a problem.

    Raises AosError(unknown_code), with the one that was probably meant.
    """
    code = name.rpartition(".")[2].lower()
    if code in CODES:
        return code
    from aos.wire.shape import no_such

    found = no_such("code", code, CODES, code="unknown_code")
    raise AosError(found.code, found.detail, findings=[found])
