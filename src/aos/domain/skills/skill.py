"""Skills: what a step can call, what it costs, how long it takes, how it fails. Every figure says where it is from."""

from collections.abc import Mapping
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from aos.domain.skills.distributions import Constant, Distribution

T = TypeVar("T")

Category = Literal["TRANSIENT", "PERMANENT", "PERMISSION", "RESOURCE"]
CATEGORIES: tuple[Category, ...] = ("TRANSIENT", "PERMANENT", "PERMISSION", "RESOURCE")

MAX_MS = 1e10
"""Times of a descriptor go up to 115 days."""
MAX_CENTS = 1e9


class Provenance(NamedTuple):
    """Where a figure is from: somebody's word, or `n` records up to the date `as_of`."""

    source: Literal["declared", "measured"]
    method: str = ""
    n: int | None = None
    as_of: str | None = None
    window_days: float | None = None


class Figure(NamedTuple, Generic[T]):
    """A value with its provenance. An unknown figure is None in place of a Figure, never a zero."""

    value: T
    provenance: Provenance


class FailureMode(NamedTuple):
    """One way an attempt fails.

    `probability` is per attempt (None: nobody knows). `time` is what a failed attempt takes in ms (None: as
    long as a success). `charged` says whether its price is due all the same. `outage` is how long (ms) the
    cause lasts: a retry that starts within it fails the same way.
    """

    code: str
    category: Category
    probability: Figure[float] | None
    time: Figure[Distribution] | None = None
    charged: bool = True
    outage: Figure[Distribution] | None = None


class RetryPolicy(NamedTuple):
    """Attempt again after a failure of the categories in `retry_on`, at most `max_attempts` tries in all.

    The wait before try k+1 is min(backoff_ms * multiplier**(k-1), max_backoff_ms). `deduplicated`: all attempts of a
    call bear one key by which the receiver tells repetitions, so that one which took effect takes it once.
    """

    max_attempts: int = 1
    backoff_ms: float = 0.0
    multiplier: float = 2.0
    max_backoff_ms: float = 60_000.0
    retry_on: tuple[Category, ...] = ("TRANSIENT",)
    deduplicated: bool = False

    def backoff(self, failed_attempts: int) -> float:
        """Milliseconds to wait after that many failed attempts (1, 2, ...)."""
        return min(self.backoff_ms * self.multiplier ** (failed_attempts - 1), self.max_backoff_ms)


NO_RETRY = RetryPolicy()


class RateLimit(NamedTuple):
    """At most `burst` starts at once and `per_minute` a minute in the long run (GCRA)."""

    per_minute: float
    burst: int


class Effects(NamedTuple):
    """What a skill does to the world. No flag has a default: a catalog states all five."""

    read_only: bool
    idempotent: bool
    destructive: bool
    reversible: bool
    open_world: bool


class EffectsBy(NamedTuple):
    """Where effects depend on a parameter: those of a call whose `param` has a value among `cases`."""

    param: str
    cases: Mapping[str, Effects]


class CallCost(NamedTuple):
    """A price in cents per attempt, plus cents per millisecond of its latency.

    `follows_latency` is the rank correlation between price and latency in [0, 1].
    """

    per_attempt: Figure[Distribution]
    per_ms: Figure[float] | None = None
    follows_latency: Figure[float] | None = None


class TokenCost(NamedTuple):
    """A price by tokens of the model that the parameter `model` names.

    Input tokens are characters / `chars_per_token`, and `reference_chars` more characters for each reference
    to something not known before the run; output tokens follow `output_tokens`, cut at the parameter
    `max_tokens`. `unnamed` is the price in cents of an attempt that names no model.
    """

    chars_per_token: Figure[Distribution]
    output_tokens: Figure[Distribution]
    reference_chars: Figure[Distribution]
    unnamed: Figure[Distribution] | None
    follows_latency: Figure[float] | None = None


CostModel = CallCost | TokenCost


class Feature(NamedTuple):
    """A number known before an attempt, by the name of a parameter; `each` is what one more of it adds.

    A parameter that is a number is itself, text counts its characters, a list its items. `seen` is what was recorded:
    where a plan does not say, it is drawn from there.
    """

    name: str
    each: float
    seen: Distribution


class Growth(NamedTuple):
    """How the time (ms) or price (cents) of an attempt grows with features: (fixed + sum of each * feature) * rest.

    `rest` is what features leave unexplained, about 1; of prices, `follows_latency` is its rank correlation with
    the rest of the latency.
    """

    fixed: float
    features: tuple[Feature, ...]
    rest: Figure[Distribution]
    follows_latency: Figure[float] | None = None


class Power(NamedTuple):
    """A feature of which (feature / typical)^exponent is a factor: 1 is in proportion, 0.5 as its root, 2 its square.

    Its sizes are above 0, as `typical` and all that was `seen`.
    """

    name: str
    typical: float
    exponent: float
    seen: Distribution


class PowerGrowth(NamedTuple):
    """How a time or price grows as a product of powers: level * product of (feature / typical)^exponent * rest.

    `level` is what an attempt of typical sizes takes (ms) or costs (cents). The rest is as that of a `Growth`.
    """

    level: float
    features: tuple[Power, ...]
    rest: Figure[Distribution]
    follows_latency: Figure[float] | None = None


AnyGrowth = Growth | PowerGrowth

LEAST_SIZE = 1e-9
"""Of a feature in a power, and of what such a product starts from."""
MAX_EXPONENT = 10.0


class FanOut(NamedTuple):
    """How late the siblings of a fan-out start: w parallel calls of one skill with the same predecessors.

    Where `width` siblings were recorded the last one started `delay` ms after the group could. Each doubling of the
    width multiplies that by exp of a draw from N(growth, growth_sd^2). Sibling j of w starts after the share of it
    that stands at (j + 1) / w on `stairs`, shares at even distances from 0 to 1, linear in between.
    """

    width: int
    delay: Distribution
    growth: float
    growth_sd: float
    stairs: tuple[float, ...]
    provenance: Provenance


class Hints(NamedTuple):
    """How a skill composes with others; advice for whoever writes plans."""

    often_followed_by: tuple[str, ...] = ()
    often_preceded_by: tuple[str, ...] = ()
    anti_patterns: tuple[str, ...] = ()


class Skill(NamedTuple):
    """A descriptor: all that simulate knows of a skill. `None` figures are unknown.

    `effects` are those of any call, the worst there is; `effects_by` those of calls that are known better. `latency`
    and `cost` are over all that was recorded; `latency_by` and `cost_by` take their place in a step that states one
    of their features. `drift` is the standard deviation that the log of its level of time gains in a year.
    """

    id: str
    version: str
    purpose: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    main_output: str | None
    latency: Figure[Distribution] | None
    cost: CostModel | None
    failures: tuple[FailureMode, ...] | None
    effects: Effects
    retry: RetryPolicy = NO_RETRY
    rate_limit: RateLimit | None = None
    pool: str | None = None
    overhead: Figure[Distribution] | None = None
    fan_out: FanOut | None = None
    latency_by: AnyGrowth | None = None
    cost_by: AnyGrowth | None = None
    drift: Figure[float] | None = None
    constraints: Mapping[str, Any] = {}
    hints: Hints = Hints()
    enabled: bool = True
    effects_by: EffectsBy | None = None

    def effects_of(self, params: Mapping[str, Any]) -> Effects:
        """The effects of a call with these parameters; where one is left out, with its schema's default."""
        if self.effects_by is None:
            return self.effects
        name = self.effects_by.param
        schema = self.input_schema.get("properties", {}).get(name, {})
        value = params.get(name, schema.get("default") if isinstance(schema, dict) else None)
        return self.effects_by.cases.get(value, self.effects) if isinstance(value, str) else self.effects


def chance_to_fail(skill: Skill) -> float | None:
    """Of one attempt, None where it is unknown. Failure modes exclude each other."""
    shares = [mode.probability.value for mode in skill.failures or () if mode.probability]
    if skill.failures is None or len(shares) < len(skill.failures):
        return None
    return min(1.0, sum(shares))


def declares_nothing(skill: Skill) -> bool:
    """Whether the skill's calls are free, however they end."""
    cost = skill.cost
    return isinstance(cost, CallCost) and cost.per_attempt.value == Constant(0) and not cost.per_ms


def pure(skill: Skill, params: Mapping[str, Any]) -> bool:
    """Whether a call with these parameters is free, changes nothing and reaches nobody: made again, nobody can tell."""
    effects = skill.effects_of(params)
    return effects.read_only and not effects.open_world and declares_nothing(skill)


class PartCorrelation(NamedTuple):
    """Gaussian-copula correlation of a part of latencies: one of the sizes, or what sizes leave unexplained.

    `run` and `siblings` are among steps that have the part, `whole` is of it with the latency of a step that states no
    sizes.
    """

    run: Figure[float] | None = None
    siblings: Figure[float] | None = None
    whole: Figure[float] | None = None


class Correlation(NamedTuple):
    """Gaussian-copula correlation of latencies: among all steps of a run, and among parallel siblings.

    `siblings` >= `run`: steps of one skill with the same predecessors share more than the run's own mood. `rests` takes
    the place of both for steps whose sizes are stated; where nobody knows it, they depend as all others do. Sizes that
    such a step leaves open go together as `sizes` says; where it says nothing, the step depends as one without any.
    """

    run: Figure[float] | None = None
    siblings: Figure[float] | None = None
    rests: PartCorrelation = PartCorrelation()
    sizes: Mapping[str, PartCorrelation] = {}


class Drawn(NamedTuple):
    """One way to draw from a block: run number `run`, its times and costs scaled, with this weight."""

    run: int
    time_scale: float
    cost_scale: float
    weight: float


class Block(NamedTuple):
    """Recorded runs of one shape, drawn whole: what belongs together in a run stays together.

    `skills[i]` and `after[i]` are the skill of step i and the steps it starts after. In run r step i started
    `gap_ms[r][i]` after the last step before it, took `time_ms[r][i]` with all its attempts, cost `cost_cents[r][i]`
    and failed or not; `cost_cents` None: nobody recorded it. `draws` weigh the runs, scaled to what is expected now.
    """

    skills: tuple[str, ...]
    after: tuple[tuple[int, ...], ...]
    gap_ms: tuple[tuple[float, ...], ...]
    time_ms: tuple[tuple[float, ...], ...]
    cost_cents: tuple[tuple[float, ...], ...] | None
    failed: tuple[tuple[bool, ...], ...]
    draws: tuple[Drawn, ...]
    provenance: Provenance


class Donors(NamedTuple):
    """Recorded runs that lend their records to chains of repeated skills: each sample has one donor for all its steps.

    Donor d has `time_ms[skill][d]` and, beside them, `cost_cents[skill][d]`. For a plan that calls these skills n times
    a donor with K records weighs exp(-(ln(K/n)/bandwidth)^2 / 2), and its values are scaled by (n/K)^(slope - 1).
    A call of a skill fails for good with the chance `fails[skill]`, which is no matter of the donor.
    Source: two-stage bootstrap, Davison & Hinkley (1997), Bootstrap Methods, section 3.8.
    """

    time_ms: Mapping[str, tuple[tuple[float, ...], ...]]
    cost_cents: Mapping[str, tuple[tuple[float, ...], ...]] | None
    bandwidth: float
    slope: float
    provenance: Provenance
    fails: Mapping[str, float] = {}


class Catalog(NamedTuple):
    """Skills by id, slot pools (name -> slots), and what belongs to no single skill.

    `overhead` (ms) passes between a step's last predecessor and its start, for skills without their own.
    `approval_wait` (ms) is how long people take to decide, `approval_wait_by_level` how long those of a level do.
    `run_factor` is how much slower or faster than usual a whole run is: a factor on every attempt and overhead in it. A
    plan of the shape of a block draws from it, one that only calls the skills of donors from those.
    """

    skills: Mapping[str, Skill]
    pools: Mapping[str, int] = {}
    overhead: Figure[Distribution] | None = None
    correlation: Correlation = Correlation()
    approval_wait: Figure[Distribution] | None = None
    run_factor: Figure[Distribution] | None = None
    blocks: tuple[Block, ...] = ()
    donors: tuple[Donors, ...] = ()
    approval_wait_by_level: Mapping[int, Figure[Distribution]] = {}

    def wait(self, level: int) -> Figure[Distribution] | None:
        """How long people of a level take to decide."""
        return self.approval_wait_by_level.get(level, self.approval_wait)
