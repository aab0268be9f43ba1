"""aos.toml: the defaults of a project, found in the working folder or the nearest one above it."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from aos.domain.forecasts.verdicts import (
    DEFAULT_CONFIDENCE,
    DEFAULT_MIN_SUCCESS,
    DEFAULT_SAMPLES,
    MAX_SAMPLES,
    Limits,
)
from aos.files.run_config import RunConfig, read_run_config
from aos.files.sources import Document, read_document
from aos.wire.shape import Reader
from aos.wire.strict import Json

if TYPE_CHECKING:
    from aos.domain.plans.plan import Plan

NAME = "aos.toml"

T = TypeVar("T")


class Config(NamedTuple):
    """What aos.toml says. `catalogs` are read in order, before those of the command line; `catalog` is its own.

    `policy` is where the rules are that plans are held against; None: against none.
    """

    path: Path | None = None
    catalogs: tuple[str, ...] = ()
    catalog: Json = None
    budget_cents: Decimal | None = None
    deadline_ms: float | None = None
    confidence: float = DEFAULT_CONFIDENCE
    min_success: float = DEFAULT_MIN_SUCCESS
    samples: int = DEFAULT_SAMPLES
    seed: int = 0
    run: RunConfig = RunConfig()
    policy: str | None = None

    def asked(
        self,
        budget_cents: Decimal | None,
        deadline_ms: float | None,
        confidence: float | None,
        min_success: float | None,
    ) -> Limits:
        """The limits that a caller gave; budget and deadline stay None where a plan may still say."""
        return Limits(
            budget_cents,
            deadline_ms,
            self.confidence if confidence is None else confidence,
            self.min_success if min_success is None else min_success,
        )

    def settled(self, asked: Limits, plan: "Plan") -> Limits:
        """The limits that hold for a plan: those of the caller, else its own, else those of aos.toml."""
        budgets = (asked.budget_cents, plan.budget_cents, self.budget_cents)
        deadlines = (asked.deadline_ms, plan.deadline_ms, self.deadline_ms)
        return asked._replace(budget_cents=_first(budgets), deadline_ms=_first(deadlines))


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def find_config() -> Config:
    """The configuration that holds in the working folder; without a file, the defaults."""
    try:
        here = Path().absolute()
        found = next((at / NAME for at in (here, *here.parents) if (at / NAME).is_file()), None)
    except OSError:
        return Config()
    return read_config(found) if found else Config()


def read_config(path: Path) -> Config:
    """Read one aos.toml. Raises InputError(invalid_config) with everything wrong in it."""
    document = read_document(str(path), code="invalid_config")
    return _config(document, path)


def _config(document: Document, path: Path) -> Config:
    reader = Reader()
    fields = reader.obj(document.value, "", known=("catalogs", "catalog", "policy", "simulate", "run"))
    simulate = reader.obj(
        fields["simulate"],
        "/simulate",
        known=("budget_cents", "deadline_ms", "confidence", "min_success", "samples", "seed"),
    )
    policy = reader.text(fields["policy"], "/policy", None)
    config = Config(
        path=path,
        catalogs=tuple(
            str(path.parent / entry) for entry in reader.texts(fields["catalogs"], "/catalogs", max_len=50)
        ),
        catalog=fields.get("catalog"),
        budget_cents=reader.money(simulate["budget_cents"], "/simulate/budget_cents", None),
        deadline_ms=reader.number(simulate["deadline_ms"], "/simulate/deadline_ms", None, low=0),
        confidence=reader.number(
            simulate["confidence"], "/simulate/confidence", DEFAULT_CONFIDENCE, low=0, high=1
        ),
        min_success=reader.number(
            simulate["min_success"], "/simulate/min_success", DEFAULT_MIN_SUCCESS, low=0, high=1
        ),
        samples=reader.integer(
            simulate["samples"], "/simulate/samples", DEFAULT_SAMPLES, low=100, high=MAX_SAMPLES
        ),
        seed=reader.integer(simulate["seed"], "/simulate/seed", 0, low=0, high=2**53 - 1),
        run=read_run_config(reader, fields["run"], "/run", path.parent),
        policy=None if policy is None else str(path.parent / policy),
    )
    reader.raise_if_any("invalid_config", str(path))
    return config
