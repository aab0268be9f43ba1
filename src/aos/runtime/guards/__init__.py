"""What keeps a skill, or a server that delivers webhooks, from reaching where a plan must not reach.

    addresses   which network addresses may be reached
    network     resolves a name once and connects to exactly an address that was checked
    streams     the same for httpcore, patient and cancellable
    http        one exchange over HTTP, bounded, redirects checked (the one module that knows httpx)
    answers     keeps answers, to ask whether they still hold
    fields      header and mail fields that fit in one line
    processes   runs a program, bounded, leaving nothing behind
    files       reads and replaces regular files beneath one folder (`beneath` opens them)
    patience    how long, and until when somebody still wants it

Nothing here takes anything from the environment: no proxy, no netrc, no resolver but the one given.
"""

from aos.domain.skills.failures import Effect

__all__ = ["GuardError"]


class GuardError(Exception):
    """What was asked for is refused or did not work. `code` is a row of `aos.domain.skills.failures`.

    `effect` None leaves it to that catalogue. `str(error)` is a sentence for people.
    """

    def __init__(
        self, code: str, detail: str, *, effect: Effect | None = None, retry_after_ms: float | None = None
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.effect = effect
        self.retry_after_ms = retry_after_ms
