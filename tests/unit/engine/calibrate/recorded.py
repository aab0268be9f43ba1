"""Records made up for what is learned from them, row by row."""

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from aos.domain.learning.records import Coded, Records
from aos.domain.plans.plan import Plan, Step
from aos.engine.calibrate.sizes.forms import Shape
from aos.engine.calibrate.sizes.growth import shapes

NAN = float("nan")
DAY = 86_400_000.0
EPOCH = 1_700_000_000_000.0


class Row(NamedTuple):
    """A row of records, with what most tests do not care for."""

    run: str
    step: str
    skill: str
    start: float
    end: float
    cost: float = NAN
    code: str = ""
    after: str = ""
    region: str = ""
    attempt: int = 1


def records(rows: Sequence[Row]) -> Records:
    return Records(
        run=coded([r.run for r in rows]),
        step=coded([r.step for r in rows]),
        skill=coded([r.skill for r in rows]),
        start_ms=array("d", [r.start for r in rows]),
        end_ms=array("d", [r.end for r in rows]),
        cost_cents=array("d", [r.cost for r in rows]),
        failed=bytearray(bool(r.code) for r in rows),
        code=coded([r.code for r in rows]),
        attempt=array("i", [r.attempt for r in rows]),
        after=coded([r.after for r in rows]),
        conditions={"region": coded([r.region for r in rows])},
        features={},
    )


def coded(values: Sequence[str]) -> Coded:
    codes: dict[str, int] = {}
    return Coded(array("i", [codes.setdefault(v, len(codes)) if v else -1 for v in values]), tuple(codes))


def singles(times: Iterable[float], name: str = "work", region: str = "", code: str = "") -> list[Row]:
    """Runs of one step, an hour apart."""
    return [
        Row(
            f"{region}{code}{i}",
            "s",
            name,
            EPOCH + i * DAY / 24,
            EPOCH + i * DAY / 24 + t,
            1.0,
            code,
            "",
            region,
        )
        for i, t in enumerate(times)
    ]


def shape(values: np.ndarray, x: np.ndarray) -> Shape | None:
    """The growth that is found in the values of one variant."""
    (found,) = shapes([[values]], [x])
    return found


def pairs(count: int, rng: np.random.Generator, own: float = 0.1) -> list[Row]:
    """Runs of two steps that are slow together, with a gap between them."""
    rows = []
    for i in range(count):
        mood = rng.lognormal(0, 0.4)
        began, first, second = EPOCH + i * DAY / 24, 100 * mood, 200 * mood * rng.lognormal(0, own)
        rows.append(Row(str(i), "a", "fetch", began, began + first, 2.0 * mood))
        rows.append(Row(str(i), "b", "work", began + first + 30, began + first + 30 + second, 1.0, "", "a"))
    return rows


PAIR = Plan((Step("a", "fetch", {}), Step("b", "work", {})))
