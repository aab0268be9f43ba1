"""The whole: from records to a catalog."""

from aos.domain.learning.calibration import Calibration
from aos.domain.learning.records import Records
from aos.domain.skills.distributions import Constant, Distribution
from aos.domain.skills.skill import Catalog, FanOut, Figure, Provenance, Skill
from aos.engine.calibrate.sizes.recorded import beside_others, sizes
from aos.engine.calibrate.skill import times
from aos.engine.calibrate.skill.skills import learn_skills
from aos.engine.calibrate.table import Table, table
from aos.engine.calibrate.whole_run import dependence
from aos.engine.calibrate.whole_run.blocks import blocks
from aos.engine.calibrate.whole_run.donors import chains, donors
from aos.engine.calibrate.whole_run.fanout import groups, laws
from aos.engine.calibrate.whole_run.runs import shapes
from aos.engine.calibrate.whole_run.slots import Slots, slots
from aos.engine.sampling.distributions import Floats


def learn(records: Records, base: Catalog, by: tuple[str, ...]) -> Calibration:
    """The catalog `base` with what the records say; see `aos.api.learning.calibrate`."""
    known = table(records, by)
    learned = learn_skills(known, by, base.skills)
    found = shapes(known)
    lending = chains(found)
    whole = [shape for shape in found if not (shape.chain and frozenset(shape.variant) in lending)]
    limits = slots(found)
    fan_outs = laws([group for group in groups(found) if group.variant not in limits], known.variants)
    skills = _between({one.skill.id: one.skill for one in learned}, known, dependence.gaps(found), fan_outs)
    pools = _limited(skills, known, limits)
    learned_of = [skills[one.id] for one in known.variants]
    correlation = dependence.correlation(found, sizes(known, learned_of), beside_others(known, learned_of))
    catalog = base._replace(
        skills={**base.skills, **skills},
        pools={**base.pools, **pools},
        correlation=correlation if correlation.run or correlation.siblings else base.correlation,
        blocks=(*base.blocks, *blocks(whole, known.variants)),
        donors=(*base.donors, *(donors(alike, known.variants) for alike in lending.values())),
    )
    return Calibration(catalog, tuple(sorted((one.row for one in learned), key=lambda row: row.id)))


def _limited(skills: dict[str, Skill], known: Table, limits: dict[int, Slots]) -> dict[str, int]:
    """A pool of slots of its own for each skill whose fan-outs show a limit; one that is declared stays."""
    pools: dict[str, int] = {}
    for v, limit in limits.items():
        skill = skills[known.variants[v].id]
        if skill.pool is None:
            measured = Provenance("measured", f"{limit.slots} at once", limit.runs)
            overhead = skill.overhead or Figure(times.empirical(limit.gap), measured)
            skills[skill.id] = skill._replace(pool=skill.id, overhead=overhead)
            pools[skill.id] = limit.slots
    return pools


def _between(
    skills: dict[str, Skill], known: Table, gaps: dict[int, Floats], fan_outs: dict[int, FanOut]
) -> dict[str, Skill]:
    """Skills with what passes before they start: overhead, and the law of their fan-outs."""
    for v, variant in enumerate(known.variants):
        skill = skills[variant.id]
        gap = gaps.get(v)
        if gap is not None:
            measured = Provenance("measured", "gaps as recorded", len(gap))
            skill = skill._replace(overhead=Figure(times.empirical(gap), measured))
        if v in fan_outs:
            law = fan_outs[v]
            nothing: Figure[Distribution] = Figure(Constant(0.0), law.provenance)
            skill = skill._replace(fan_out=law, overhead=skill.overhead if gap is not None else nothing)
        skills[variant.id] = skill
    return skills
