"""What a catalog keeps of recorded runs: blocks drawn whole, donors of chains, the law of a fan-out.

    {"skills": ["a", "b"], "after": [[], [0]], "gap_ms": [[0, 5], ...], "time_ms": ..., "cost_cents": ...,
     "failed": [[false, false], ...], "draws": [[run, time_scale, cost_scale, weight], ...], "source": "measured", ...}
    {"time_ms": {"a": [[10, 11], [9]]}, "cost_cents": ..., "fails": {"a": 0.01}, "bandwidth": 0.45, "slope": 1, ...}
    {"width": 8, "delay_ms": FIGURE, "growth": 0.7, "growth_sd": 0.2, "stairs": [0, 0.4, 1], ...}

Matrices have a row a run; `aos calibrate` writes them, nobody types them.
"""

from typing import Any

from aos.domain.skills.distributions import Constant
from aos.domain.skills.skill import Block, Donors, Drawn, FanOut
from aos.wire.catalogs.figures import (
    PROVENANCE_KEYS,
    dump_distribution,
    dump_provenance,
    figure,
    read_provenance,
)
from aos.wire.shape import MISSING, Field, Reader, at
from aos.wire.strict import Json

__all__ = ["dump_block", "dump_donors", "dump_fan_out", "read_block", "read_donors", "read_fan_out"]

MAX_RUNS = 100_000
MAX_STEPS = 5_000
MAX_DRAWS = 4_096
_MAX = 1e12
_MAX_STAIRS = 1_000
_BLOCK = ("skills", "after", "gap_ms", "time_ms", "cost_cents", "failed", "draws")
_DONORS = ("time_ms", "cost_cents", "fails", "bandwidth", "slope")
_FAN_OUT = ("width", "delay_ms", "growth", "growth_sd", "stairs")

Matrix = tuple[tuple[float, ...], ...]


def read_block(reader: Reader, value: Json, pointer: str) -> Block | None:
    """A block, None where something is wrong with it."""
    before = len(reader.findings)
    required = tuple(key for key in _BLOCK if key != "cost_cents")
    fields = reader.obj(value, pointer, known=(*_BLOCK, *PROVENANCE_KEYS), required=required)
    times = _matrix(reader, fields["time_ms"], at(pointer, "time_ms"))
    costs = fields.get("cost_cents")
    block = Block(
        skills=reader.texts(fields["skills"], at(pointer, "skills"), max_len=MAX_STEPS),
        after=tuple(
            tuple(
                reader.integer(j, at(pointer, "after", i, k), 0, low=0, high=i - 1) for k, j in enumerate(row)
            )
            for i, row in _rows(reader, fields["after"], at(pointer, "after"))
        ),
        gap_ms=_matrix(reader, fields["gap_ms"], at(pointer, "gap_ms")),
        time_ms=times,
        cost_cents=None if costs is None else _matrix(reader, costs, at(pointer, "cost_cents")),
        failed=tuple(
            tuple(reader.flag(cell, at(pointer, "failed", i, k), False) for k, cell in enumerate(row))
            for i, row in _rows(reader, fields["failed"], at(pointer, "failed"))
        ),
        draws=_draws(reader, fields["draws"], at(pointer, "draws"), len(times)),
        provenance=read_provenance(reader, fields, pointer),
    )
    if len(reader.findings) == before:
        _check_shape(reader, block, pointer)
    return block if len(reader.findings) == before else None


def read_donors(reader: Reader, value: Json, pointer: str) -> Donors | None:
    """Donors, None where something is wrong with them."""
    before = len(reader.findings)
    required = ("time_ms", "bandwidth", "slope")
    fields = reader.obj(value, pointer, known=(*_DONORS, *PROVENANCE_KEYS), required=required)
    times = _matrices(reader, fields["time_ms"], at(pointer, "time_ms"))
    stated = fields.get("cost_cents")
    costs = None if stated is None else _matrices(reader, stated, at(pointer, "cost_cents"))
    donors = Donors(
        time_ms=times,
        cost_cents=costs,
        bandwidth=reader.number(fields["bandwidth"], at(pointer, "bandwidth"), 1.0, low=1e-6, high=100),
        slope=reader.number(fields["slope"], at(pointer, "slope"), 1.0, low=-10, high=10),
        provenance=read_provenance(reader, fields, pointer),
        fails=_chances(reader, fields.get("fails"), at(pointer, "fails")),
    )
    counts = list(_lengths(times).values())
    same = len({len(row) for row in counts}) == 1
    if not same or not any(map(all, zip(*counts, strict=True))):
        detail = "every skill needs a list for each donor, and some donor a record of each"
        reader.add(at(pointer, "time_ms"), "bad_value", detail)
    if costs is not None and _lengths(costs) != _lengths(times):
        reader.add(at(pointer, "cost_cents"), "bad_value", "a cost is needed for every time")
    return donors if len(reader.findings) == before else None


def read_fan_out(reader: Reader, value: Field, pointer: str) -> FanOut | None:
    """The law of a fan-out, None where there is none or something is wrong with it."""
    if value is None or value is MISSING:
        return None
    before = len(reader.findings)
    fields = reader.obj(value, pointer, known=(*_FAN_OUT, *PROVENANCE_KEYS), required=_FAN_OUT)
    delay = figure(reader, fields["delay_ms"], at(pointer, "delay_ms"), high=_MAX)
    law = FanOut(
        width=reader.integer(fields["width"], at(pointer, "width"), 2, low=2, high=100_000),
        delay=delay.value if delay else Constant(0.0),
        growth=reader.number(fields["growth"], at(pointer, "growth"), 0.0, low=-5, high=5),
        growth_sd=reader.number(fields["growth_sd"], at(pointer, "growth_sd"), 0.0, low=0, high=5),
        stairs=tuple(
            reader.number(share, at(pointer, "stairs", i), 0.0, low=0, high=1)
            for i, share in enumerate(
                reader.array(fields["stairs"], at(pointer, "stairs"), max_len=_MAX_STAIRS)
            )
        ),
        provenance=read_provenance(reader, fields, pointer),
    )
    if len(law.stairs) < 2 or list(law.stairs) != sorted(law.stairs):
        reader.add(at(pointer, "stairs"), "bad_value", "stairs are two shares or more that never fall")
    return law if len(reader.findings) == before else None


def dump_block(block: Block) -> dict[str, Any]:
    """The object that `read_block` reads back as the same block."""
    stated = {key: value for key, value in block._asdict().items() if key != "provenance"}
    return {**_lists(stated), **dump_provenance(block.provenance)}


def dump_donors(donors: Donors) -> dict[str, Any]:
    """The object that `read_donors` reads back as the same donors."""
    stated = {key: value for key, value in donors._asdict().items() if key != "provenance"}
    return {**_lists(stated), **dump_provenance(donors.provenance)}


def dump_fan_out(law: FanOut | None) -> dict[str, Any] | None:
    """The object that `read_fan_out` reads back as the same law."""
    return law and {
        "width": law.width,
        "delay_ms": dump_distribution(law.delay),
        "growth": law.growth,
        "growth_sd": law.growth_sd,
        "stairs": list(law.stairs),
        **dump_provenance(law.provenance),
    }


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, tuple) else value


def _rows(reader: Reader, value: Field, pointer: str) -> list[tuple[int, list[Json]]]:
    rows = reader.array(value, pointer, max_len=MAX_RUNS)
    return [(i, reader.array(row, at(pointer, i), max_len=MAX_RUNS)) for i, row in enumerate(rows)]


def _matrix(reader: Reader, value: Field, pointer: str) -> Matrix:
    return tuple(
        tuple(
            float(reader.number(cell, at(pointer, i, k), 0.0, low=0, high=_MAX)) for k, cell in enumerate(row)
        )
        for i, row in _rows(reader, value, pointer)
    )


def _matrices(reader: Reader, value: Field, pointer: str) -> dict[str, Matrix]:
    fields = reader.obj(value, pointer)
    return {name: _matrix(reader, fields[name], at(pointer, name)) for name in fields}


def _chances(reader: Reader, value: Field, pointer: str) -> dict[str, float]:
    if value is None or value is MISSING:
        return {}
    fields = reader.obj(value, pointer)
    return {
        name: float(reader.number(fields[name], at(pointer, name), 0.0, low=0, high=1)) for name in fields
    }


def _lengths(lists: dict[str, Matrix]) -> dict[str, list[int]]:
    return {name: [len(values) for values in rows] for name, rows in lists.items()}


def _draws(reader: Reader, value: Field, pointer: str, runs: int) -> tuple[Drawn, ...]:
    draws = []
    for i, cells in enumerate(reader.array(value, pointer, max_len=MAX_DRAWS)):
        row = reader.array(cells, at(pointer, i), max_len=4)
        if len(row) < 4:
            reader.add(at(pointer, i), "bad_value", "a draw is [run, time_scale, cost_scale, weight]")
            continue
        run = reader.integer(row[0], at(pointer, i, 0), 0, low=0, high=max(runs - 1, 0))
        scales = (reader.number(row[k], at(pointer, i, k), 0.0, low=0, high=_MAX) for k in (1, 2, 3))
        draws.append(Drawn(run, *map(float, scales)))
    return tuple(draws)


def _check_shape(reader: Reader, block: Block, pointer: str) -> None:
    steps, runs = len(block.skills), len(block.time_ms)
    tables = {
        "gap_ms": block.gap_ms,
        "time_ms": block.time_ms,
        "cost_cents": block.cost_cents,
        "failed": block.failed,
    }
    for name, table in tables.items():
        if table is not None and (len(table) != runs or any(len(row) != steps for row in table)):
            reader.add(
                at(pointer, name), "bad_value", f"expected a row of {steps} values for each of {runs} runs"
            )
    if len(block.after) != steps or not steps:
        reader.add(at(pointer, "after"), "bad_value", "expected a list for each step")
    if not sum(drawn.weight for drawn in block.draws) > 0:
        reader.add(at(pointer, "draws"), "bad_value", "expected a draw with a weight above 0")
