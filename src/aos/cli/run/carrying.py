"""Carrying a plan out: what surrounds a run, how one begins and how one goes on."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from aos.api.forecast.policies import Gate
from aos.api.running.run import Means, Record, irreversible, resume, run
from aos.api.running.world import opened
from aos.cli.again import commands
from aos.cli.answer import Answer, is_terminal
from aos.cli.run.granted import Approval, granted, granted_again
from aos.cli.run.people import Person
from aos.cli.run.shown import answer, watcher
from aos.domain.forecasts.verdicts import Limits
from aos.domain.skills.skill import Catalog
from aos.files.config import Config
from aos.wire.plans.read import ParsedPlan

__all__ = ["Place", "carrier"]


class Place(NamedTuple):
    """What a run may touch, and the ledger that it is recorded in; None: the working folder, that of this user."""

    workspace: Path | None
    allow_hosts: Sequence[str] | None
    allow_private: bool
    ledger: Path | None


class Carrier(NamedTuple):
    """Carries plans out, with the person at the terminal, the rules, and the approval of a server if there is one."""

    place: Place
    catalog: Catalog
    means: Means
    record: Record
    person: Person
    rules: Gate
    approval: Approval

    def begin(
        self, parsed: ParsedPlan, limits: Limits, samples: int, seed: int, *, force: bool, yes: bool
    ) -> Answer:
        """Simulate a plan and run it. `yes`: nobody is asked about steps that can't be undone."""
        with granted(self.approval) as grant:
            stays = () if yes or grant else irreversible(parsed.plan, self.catalog)
            result = run(
                *(parsed.plan, self.catalog, limits, self.means),
                force=force,
                samples=samples,
                seed=seed,
                notes=parsed.notes,
                gate=self.rules,
                ready=lambda _: self.person.agree(stays),
                grant=grant,
            )
        return answer(result, self.person, self.means.commands)

    def go_on(self, name: str, budget: Decimal | None, *, retry: bool) -> Answer:
        """Go on with the run of that id, or try it again."""
        again = None if self.rules.place is None else self.rules  # simulates once more
        with granted_again(self.approval, self.record, name) as grant:
            result = resume(
                name, self.catalog, self.means, budget_cents=budget, retry=retry, gate=again, grant=grant
            )
        return answer(result, self.person, self.means.commands)


@contextmanager
def carrier(
    place: Place,
    catalog: Catalog,
    rules: Gate,
    config: Config,
    approval: Approval,
    events: bool,
    as_json: bool,
) -> Iterator[Carrier]:
    """Open what a run is surrounded by."""
    person = Person(present=not (as_json or events) and is_terminal(sys.stdin) and is_terminal(sys.stderr))
    workspace, hosts, private, ledger = place
    with opened(workspace or Path(), hosts or (), private, ledger, config.run) as (world, record):
        watch = watcher(events, as_json)
        means = Means(
            world,
            record,
            confirm=person.confirm,
            observe=watch,
            stoppable=person.stoppable,
            commands=commands(),
        )
        yield Carrier(place, catalog, means, record, person, rules, approval)
