"""Where the figures of skills are from: declared or measured, from how many records, how old; and which are unknown."""

from collections.abc import Iterable, Iterator
from typing import Any

from aos.domain.skills.skill import Figure, Provenance, Skill


def sources(skills: Iterable[Skill]) -> str:
    """Where the skills' figures are from: `figures: 7 declared, 3 measured (n 57 to 312, oldest 2025-11-02)`."""
    known, unknown = list[Provenance](), 0
    for skill in skills:
        known += _provenances(skill)
        unknown += len(missing(skill))
    measured = [p for p in known if p.source == "measured"]
    parts = [f"{len(known) - len(measured)} declared"]
    if measured:
        parts.append(f"{len(measured)} measured{_records(measured)}")
    if unknown:
        parts.append(f"{unknown} unknown")
    return "figures: " + ", ".join(parts)


def missing(skill: Skill) -> list[str]:
    """The figures of a skill that nobody knows: `cost`, `latency`, `failures`, `failures.TIMEOUT`."""
    found = [name for name in ("cost", "latency", "failures") if getattr(skill, name) is None]
    return found + [f"failures.{mode.code}" for mode in skill.failures or () if mode.probability is None]


def _records(measured: list[Provenance]) -> str:
    sizes = [p.n for p in measured if p.n is not None]
    days = [p.as_of for p in measured if p.as_of]
    facts = []
    if sizes:
        facts.append(f"n {min(sizes):,}" + (f" to {max(sizes):,}" if max(sizes) > min(sizes) else ""))
    if days:
        facts.append(f"oldest {min(days)}")
    return f" ({', '.join(facts)})" if facts else ""


def _provenances(value: Any) -> Iterator[Provenance]:
    """Of every figure inside a descriptor, wherever it stands."""
    if isinstance(value, Figure):
        yield value.provenance
    elif isinstance(value, tuple):
        for inner in value:
            yield from _provenances(inner)
