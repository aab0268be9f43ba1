"""What whoever starts the server decides, and no caller can change."""

import threading
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from aos.api.files.sources import load_catalog
from aos.api.forecast.policies import Gate, gate
from aos.domain.approvals.policies import Principal
from aos.domain.skills.skill import Catalog
from aos.files.config import Config, find_config
from aos.wire.commands import PLAIN, Commands

__all__ = ["Now", "Purse", "Runs", "Setup"]


class Purse:
    """What all runs of a session may cost together, in cents: their budgets are set aside before they begin."""

    def __init__(self, budget_cents: Decimal) -> None:
        self.budget_cents = budget_cents
        self._held = Decimal(0)
        self._lock = threading.Lock()

    @property
    def left_cents(self) -> Decimal:
        """What no run has used or may still use."""
        return self.budget_cents - self._held

    def take(self, asked_cents: Decimal | None) -> Decimal:
        """Set aside what a run asks for, or what is left where that is less; it is the run's budget."""
        with self._lock:
            granted = self.left_cents if asked_cents is None else min(asked_cents, self.left_cents)
            self._held += granted
            return granted

    def settle(self, granted_cents: Decimal, used_cents: Decimal | None) -> None:
        """Of what was set aside keep what was used; None, which is unknown, keeps all of it."""
        with self._lock:
            self._held += (granted_cents if used_cents is None else used_cents) - granted_cents


class Runs(NamedTuple):
    """What runs may touch, and what they may cost together."""

    purse: Purse
    workspace: Path | None = None
    allow_hosts: Sequence[str] = ()
    allow_private: bool = False


class Now(NamedTuple):
    """The settings, the catalog and the rules as they are at the moment."""

    config: Config
    catalog: Catalog
    rules: Gate


class Setup(NamedTuple):
    """The words of `aos mcp`. `runs` None: nothing can be run; `server` None: no approvals can be asked for."""

    catalogs: Sequence[str] = ()
    policy: str | None = None
    agent: str | None = None
    ledger: Path | None = None
    runs: Runs | None = None
    server: str | None = None
    context: str | None = None
    commands: Commands = PLAIN

    def now(self) -> Now:
        """Read aos.toml, catalogs and rules, as a command would. Raises what they may raise."""
        config = find_config()
        place = config.policy if self.policy is None else self.policy
        principal = Principal(agent=self.agent) if self.agent else Principal()
        return Now(config, load_catalog(self.catalogs, config), gate(place, principal))
