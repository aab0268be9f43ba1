"""The catalogue of codes: the one table that says what a code means, its statuses and what to do.

A row's `area` and the code itself make the problem type: `urn:aos:problem:<area>.<code>`.
"""

from aos.errors import approvals, inputs, service, tool, verdicts
from aos.errors.rows import EXIT_MEANINGS, Code, Exit

__all__ = ["CODES", "EXIT_MEANINGS", "Code", "Exit"]

CODES: dict[str, Code] = {**tool.ROWS, **inputs.ROWS, **service.ROWS, **verdicts.ROWS, **approvals.ROWS}
