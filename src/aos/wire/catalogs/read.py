"""Catalogs: the document that describes skills, read into the domain's values and written back.

    {"aos_catalog": "1", "pools": {NAME: slots}, "overhead_ms": FIGURE, "approval_wait_ms": FIGURE,
     "approval_wait_by_level_ms": {LEVEL: FIGURE},
     "correlation": {"run": FIGURE, "siblings": FIGURE, "rests": PART, "sizes": {NAME: PART}},
     "run_factor": FIGURE, "blocks": [...], "donors": [...],
     "skills": {ID: DESCRIPTOR}}

`aos.wire.catalogs.figures` has the forms of a FIGURE, `aos.wire.records.recordings` those of blocks and donors. A
figure that is absent or null is unknown, never zero; `failures: []` says that a skill does not fail, no `failures` that
nobody knows how it does. `data/catalog.schema.json` is the format in full.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from aos.domain.approvals.levels import LEVELS
from aos.domain.kept import kept
from aos.domain.skills.distributions import Distribution
from aos.domain.skills.skill import Catalog, Correlation, Figure, PartCorrelation, Skill
from aos.wire.catalogs.descriptors import MAX_MS, dump_skill, read_skill
from aos.wire.catalogs.figures import PROVENANCE_KEYS, dump_figure, dump_ratio, figure, ratio
from aos.wire.records.recordings import dump_block, dump_donors, read_block, read_donors
from aos.wire.shape import MISSING, Field, Fields, Reader, at
from aos.wire.strict import Json

__all__ = [
    "catalog_contract_digest",
    "catalog_digest",
    "catalog_schema",
    "default_catalog",
    "dump_catalog",
    "dump_skill",
    "parse_catalog",
]

T = TypeVar("T")

MAX_SKILLS = 1_000

_SHIPPED = Path(__file__).parent / "data" / "default_catalog.json"
_SCHEMA = _SHIPPED.with_name("catalog.schema.json")

MAX_RECORDINGS = 1_000
MAX_FACTOR = 1_000

_LEVELS = tuple(map(str, LEVELS))
_CATALOG = (
    *(
        "aos_catalog",
        "pools",
        "overhead_ms",
        "approval_wait_ms",
        "approval_wait_by_level_ms",
        "correlation",
        "run_factor",
        "blocks",
        "donors",
    ),
    "skills",
)


def parse_catalog(document: Json, *, name: str, base: Catalog | None = None) -> Catalog:
    """Read a catalog; `name` is what people call it ("team.toml").

    With a `base` the document adds to it. A skill that the base has too is overridden field by field: each
    key of the descriptor that the document states replaces the base's whole value (all of `failures`, all
    of `retry`), the other keys stay, and null makes a figure unknown. `cost` and `cost_cents` replace each
    other. Pools are merged by name; the other keys beside `skills` replace the base's.

    Raises InputError(invalid_catalog) with everything that is wrong.
    """
    reader = Reader()
    catalog = _catalog(reader, document, base or Catalog({}))
    if isinstance(document, dict):
        _check_schemas(reader, document.get("skills"))
    reader.raise_if_any("invalid_catalog", name)
    return catalog


@cache
def default_catalog() -> Catalog:
    """The seven skills that ship with aos."""
    import json

    # Its schemas are checked by a test: the library for that costs more than all the rest.
    reader = Reader()
    catalog = _catalog(reader, json.loads(_SHIPPED.read_bytes()), Catalog({}))
    reader.raise_if_any("invalid_catalog", _SHIPPED.name)
    return catalog


def dump_catalog(catalog: Catalog) -> dict[str, Any]:
    """The document that `parse_catalog` reads back as the same catalog, every figure with its provenance."""
    return {
        "aos_catalog": "1",
        "pools": dict(catalog.pools),
        "overhead_ms": dump_figure(catalog.overhead),
        "approval_wait_ms": dump_figure(catalog.approval_wait),
        **_by_level(catalog),
        "correlation": _dump_correlation(catalog.correlation),
        "run_factor": dump_figure(catalog.run_factor),
        "blocks": [dump_block(block) for block in catalog.blocks],
        "donors": [dump_donors(donors) for donors in catalog.donors],
        "skills": {skill.id: dump_skill(skill) for skill in catalog.skills.values()},
    }


@cache
def catalog_schema() -> dict[str, Any]:
    """The JSON Schema of catalogs."""
    import json

    schema: dict[str, Any] = json.loads(_SCHEMA.read_bytes())
    return schema


def catalog_digest(catalog: Catalog, skills_used: Iterable[str]) -> str:
    """Digest of everything that a forecast with these skills reads in the catalog."""
    return _digest(catalog, frozenset(skills_used))


def catalog_contract_digest(catalog: Catalog, skills_used: Iterable[str]) -> str:
    """Digest of what an approval rests on: versions, declared prices, effects, retry and limits.

    Measured figures may move without touching it, and so may the words about a figure.
    """
    return _contract_digest(catalog, frozenset(skills_used))


@kept(64)
def _digest(catalog: Catalog, skills_used: frozenset[str]) -> str:
    from aos.wire.digests import digest

    used = {name: catalog.skills[name] for name in skills_used}
    pools = {skill.pool: catalog.pools[skill.pool] for skill in used.values() if skill.pool}
    blocks = tuple(block for block in catalog.blocks if used.keys() >= set(block.skills))
    donors = tuple(donors for donors in catalog.donors if not used.keys().isdisjoint(donors.time_ms))
    document = dump_catalog(catalog._replace(skills=used, pools=pools, blocks=blocks, donors=donors))
    for descriptor in document["skills"].values():
        descriptor |= {key: _exact(descriptor[key]) for key in ("cost", "cost_by") if key in descriptor}
    return digest(document)


@kept(64)
def _contract_digest(catalog: Catalog, skills_used: frozenset[str]) -> str:
    from aos.wire.digests import digest

    return digest({name: _contract(catalog, catalog.skills[name]) for name in skills_used})


def _contract(catalog: Catalog, skill: Skill) -> dict[str, Any]:
    descriptor = dump_skill(skill)
    kept = {
        key: descriptor[key]
        for key in ("version", "effects", "effects_by", "retry", "rate_limit", "constraints")
    }
    slots = skill.pool and catalog.pools[skill.pool]
    if skill.cost_by and skill.cost_by.rest.provenance.source == "declared":
        kept["cost_by"] = _exact(_declared(descriptor["cost_by"]))
    return {**kept, "pool": skill.pool, "slots": slots, "cost": _exact(_declared(descriptor["cost"]))}


def _declared(cost: Any) -> Any:
    """A dumped cost with its numbers alone: null for what was measured, nothing about where the rest is from."""
    if not isinstance(cost, dict):
        return cost
    if cost.get("source") == "measured":
        return None
    return {key: _declared(value) for key, value in cost.items() if key not in PROVENANCE_KEYS}


def _exact(value: Any) -> Any:
    """Money as Decimal, which a digest writes as text."""
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return Decimal(repr(value)) if isinstance(value, float) else value


def _dump_correlation(stated: Correlation) -> dict[str, Any]:
    """That of parts is left out where nobody states it, as in catalogs of old: their digests stay."""
    rests, sizes = _dump_part(stated.rests), {name: _dump_part(one) for name, one in stated.sizes.items()}
    return {
        "run": dump_ratio(stated.run),
        "siblings": dump_ratio(stated.siblings),
        **({"rests": rests} if any(rests.values()) else {}),
        **({"sizes": sizes} if sizes else {}),
    }


def _dump_part(stated: PartCorrelation) -> dict[str, Any]:
    return {name: dump_ratio(one) for name, one in stated._asdict().items()}


def _by_level(catalog: Catalog) -> dict[str, Any]:
    """Left out where nobody states it, as in catalogs of old: their digests stay."""
    waits = {str(level): dump_figure(wait) for level, wait in sorted(catalog.approval_wait_by_level.items())}
    return {"approval_wait_by_level_ms": waits} if waits else {}


# -- reading -----------------------------------------------------------------------------------------------


def _catalog(reader: Reader, document: Json, base: Catalog) -> Catalog:
    fields = reader.obj(document, "", known=_CATALOG)
    reader.choice(fields["aos_catalog"], "/aos_catalog", None, allowed=("1",))
    pools = {**base.pools, **_pools(reader, fields["pools"])}
    stated = reader.obj(fields["skills"], "/skills")
    if len(stated) > MAX_SKILLS:
        reader.add("/skills", "too_large", f"{len(stated):,} skills; the limit is {MAX_SKILLS:,}")
        stated = Fields()
    skills = dict(base.skills)
    for name in stated:
        skill = read_skill(reader, name, stated[name], at("/skills", name), base.skills.get(name), pools)
        if skill is not None:
            skills[name] = skill
    return Catalog(
        skills,
        pools,
        _or_base(reader, fields, "overhead_ms", base.overhead),
        _correlation(reader, fields["correlation"], base.correlation),
        _or_base(reader, fields, "approval_wait_ms", base.approval_wait),
        _or_base(reader, fields, "run_factor", base.run_factor, high=MAX_FACTOR),
        _recordings(reader, fields, "blocks", base.blocks, read_block),
        _recordings(reader, fields, "donors", base.donors, read_donors),
        _waits(reader, fields, base.approval_wait_by_level),
    )


def _check_schemas(reader: Reader, skills: Json) -> None:
    """The schemas that the document states; those of a base were checked with it."""
    from aos.wire.plans.parameters import check_schema

    for name, descriptor in skills.items() if isinstance(skills, dict) else ():
        for key in ("input_schema", "output_schema"):
            if isinstance(descriptor, dict) and isinstance(schema := descriptor.get(key), dict):
                check_schema(reader, schema, at("/skills", name, key))


def _waits(
    reader: Reader, fields: Fields, base: Mapping[int, Figure[Distribution]]
) -> Mapping[int, Figure[Distribution]]:
    """By level. Who states how long people take, and says nothing of levels, means all of them."""
    key = "approval_wait_by_level_ms"
    if key not in fields:
        return {} if "approval_wait_ms" in fields else base
    stated = reader.obj(fields[key], at("", key), known=_LEVELS)
    found = {
        int(level): figure(reader, stated[level], at("", key, level), high=MAX_MS)
        for level in stated
        if level in _LEVELS
    }
    return {level: wait for level, wait in found.items() if wait}


def _or_base(
    reader: Reader, fields: Fields, key: str, base: Figure[Any] | None, high: float = MAX_MS
) -> Figure[Any] | None:
    return figure(reader, fields[key], at("", key), high=high) if key in fields else base


def _recordings(
    reader: Reader,
    fields: Fields,
    key: str,
    base: tuple[T, ...],
    read: Callable[[Reader, Json, str], T | None],
) -> tuple[T, ...]:
    if key not in fields:
        return base
    stated = enumerate(reader.array(fields[key], at("", key), max_len=MAX_RECORDINGS))
    found = (read(reader, value, at("", key, i)) for i, value in stated)
    return tuple(recording for recording in found if recording is not None)


def _pools(reader: Reader, value: Field) -> dict[str, int]:
    fields = reader.obj(value, "/pools")
    return {name: reader.integer(fields[name], at("/pools", name), 1, low=1, high=100_000) for name in fields}


def _correlation(reader: Reader, value: Field, base: Correlation) -> Correlation:
    if value is MISSING:
        return base
    fields = reader.obj(value, "/correlation", known=Correlation._fields)
    sizes = reader.obj(fields["sizes"], "/correlation/sizes")
    run, siblings = (_shared(reader, fields[k], at("/correlation", k)) for k in ("run", "siblings"))
    rests = _part(reader, fields["rests"], "/correlation/rests")
    parts = {name: _part(reader, sizes[name], at("/correlation/sizes", name)) for name in sizes}
    return Correlation(run, siblings, rests, parts)


def _part(reader: Reader, value: Field, pointer: str) -> PartCorrelation:
    fields = reader.obj(value, pointer, known=PartCorrelation._fields)
    return PartCorrelation(*(_shared(reader, fields[k], at(pointer, k)) for k in PartCorrelation._fields))


def _shared(reader: Reader, value: Field, pointer: str) -> Figure[float] | None:
    return ratio(reader, value, pointer, high=0.99)
