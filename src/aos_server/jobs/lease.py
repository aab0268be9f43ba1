"""The lease of a job: which of those who hold themselves for the one that does it, is it."""

from typing import NamedTuple

from aos_server.db.pool import Transaction

__all__ = ["Lease"]


class Lease(NamedTuple):
    """That one worker does a job now. A worker that was silent may come back to one that another has taken over.

    What is done in Postgres alone needs none of it. What is written elsewhere bears `name` in its own, so that nobody
    writes over what somebody else is at, and counts once a transaction says so that `holds` the lease.
    """

    job: int
    attempt: int
    worker: int

    @property
    def name(self) -> str:
        """Another one each time that the job is begun; those of one job, sorted as text, are in order."""
        return f"{self.job:012}-{self.attempt:02}"

    async def holds(self, transaction: Transaction) -> bool:
        """Whether it is still this worker's: if so, until the transaction ends. Else what was made is to be dropped."""
        return await transaction.one("jobs.hold", **self._asdict()) is not None
