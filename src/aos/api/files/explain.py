"""Codes by name."""

from aos.errors import CODES, AosError, Finding


def find_code(name: str) -> str:
    """The code that `name` means: itself, whatever its case, or the `type` of a problem.

    Raises AosError(unknown_code), with the one that was probably meant.
    """
    code = name.rpartition(".")[2].lower()
    if code in CODES:
        return code
    from aos.wire.problems import visible
    from aos.wire.shape import closest

    meant = closest(code, CODES)
    detail = f'there is no code "{visible(name)}"' + (f'; did you mean "{meant}"?' if meant else "")
    raise AosError(
        "unknown_code", detail, findings=[Finding("", "unknown_code", detail, tuple(CODES), meant)]
    )
