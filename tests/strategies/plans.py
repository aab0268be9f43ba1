"""Random valid plans over the default catalog.

A sketch says by number what a step refers to; `_assembled` turns numbers into the steps that may be referred to there.
So every strategy is built once, and shrinking a plan keeps it valid.
"""

import re
from decimal import Decimal
from typing import Any, NamedTuple

from hypothesis import strategies as st

from aos.domain.plans.plan import MAIN_INPUTS, Expect, OnError, Outcome, Plan, RetryOverride, Step, When
from aos.domain.skills.skill import RetryPolicy
from aos.wire.catalogs.read import default_catalog
from tests.strategies.values import Strategy, json_values, names, words

INPUTS = {"url": "https://example.org/start", "items": [1, "two", {"three": 3}], "topic": "tea"}

_numbers = st.integers(0, 30)
_marks = _numbers.map("<{}>".format)
_text = words | _marks | st.tuples(words, _marks, words).map("".join) | st.just("costs $${5}")
_filled = _text.filter(bool)
_value = json_values | _text | st.dictionaries(words, _text, max_size=2)
_url = st.sampled_from(["https://example.org/x", "${inputs.url}"]) | _marks.map(
    "https://example.org/{}".format
)


def _call(skill: str, required: dict[str, Any], optional: dict[str, Any] | None = None) -> Strategy[Any]:
    return st.tuples(st.just(skill), st.fixed_dictionaries(required, optional=optional or {}))


_calls = st.one_of(
    _call("fs_read", {"path": _filled}),
    _call(
        "http_call",
        {"url": _url},
        {
            "method": st.sampled_from(["GET", "POST"]),
            "headers": st.dictionaries(words, _text, max_size=2),
            "body": _value,
            "timeout_s": st.floats(0.1, 60),
        },
    ),
    _call(
        "llm_invoke", {"prompt": _filled}, {"model": st.just("gpt-4o"), "max_tokens": st.integers(1, 5000)}
    ),
    _call("json_transform", {"query": st.sampled_from([".bitcoin.usd", "items[0]"]), "input": _value}),
    _call("fs_write", {"path": _filled, "content": _text}),
    _call("webhook_send", {"url": _url, "payload": _value}, {"sign_with": st.just("main")}),
    _call("email_send", {"to": st.just("a@example.org"), "subject": _text, "body": _text}),
)


class _Sketch(NamedTuple):
    """A step before it is known which others there are."""

    name: str
    call: tuple[str, dict[str, Any]]
    omit_main_input: bool
    needs: list[int] | None
    when: tuple[int, Outcome] | None
    goes_on: bool
    stands_in_for: int | None
    retry: tuple[int | None, float | None, float | None] | None
    timeout_s: float | None
    iterations: int
    items: list[Any] | int | None
    expect: Expect | None
    approval: int | None


_expected = st.integers(0, 20).map(lambda n: Expect(n, n)) | st.builds(
    Expect, st.floats(0.5, 5), st.floats(5, 50)
)
_shares = st.none() | st.floats(0, 1)
_outcomes: Strategy[Outcome] = st.sampled_from(["succeeded", "failed", "skipped"])

_sketches = st.builds(
    _Sketch,
    name=names,
    call=_calls,
    omit_main_input=st.booleans(),
    needs=st.none() | st.lists(_numbers, max_size=3),
    when=st.none() | st.none() | st.tuples(_numbers, _outcomes),
    goes_on=st.booleans(),
    stands_in_for=st.none() | st.none() | st.none() | _numbers,
    retry=st.none() | st.tuples(st.none() | _numbers, _shares, _shares),
    timeout_s=st.none() | st.floats(0.1, 300),
    iterations=st.just(1) | st.integers(1, 5),
    items=st.none() | st.none() | st.lists(json_values, max_size=4) | _numbers,
    expect=st.none() | _expected,
    approval=st.none() | st.none() | st.integers(1, 5),
)


def plans(max_steps: int = 12) -> Strategy[Plan]:
    """A valid plan over the default catalog, with everything that a plan can have."""
    return st.builds(
        Plan,
        steps=st.lists(_sketches, min_size=1, max_size=max_steps, unique_by=lambda s: s.name).map(_assembled),
        name=st.none() | words,
        inputs=st.just(INPUTS),
        budget_cents=st.none() | st.integers(0, 10**7).map(lambda n: Decimal(repr(n / 1000))),
        deadline_ms=st.none() | st.floats(1, 1e7),
    )


def _assembled(sketches: list[_Sketch]) -> tuple[Step, ...]:
    owners = _fallback_owners(sketches)
    steps: list[Step] = []
    for i, sketch in enumerate(sketches):
        # Whoever stands in for a step can only wait for what was there before that step.
        root = i
        while root in owners:
            root = owners[root]
        earlier = [step for k, step in enumerate(steps[:root]) if k not in owners]
        fallback = next((sketches[target].name for target, owner in owners.items() if owner == i), None)
        steps.append(_step(sketch, earlier, fallback, stands_in=i in owners))
    return tuple(steps)


def _fallback_owners(sketches: list[_Sketch]) -> dict[int, int]:
    """Fallbacks, each with the earlier step that it stands in for; no step has two."""
    owners: dict[int, int] = {}
    for i, sketch in enumerate(sketches):
        free = [k for k in range(i) if k not in owners.values()]
        if free and sketch.stands_in_for is not None:
            owners[i] = free[sketch.stands_in_for % len(free)]
    return owners


def _step(sketch: _Sketch, earlier: list[Step], fallback: str | None, stands_in: bool) -> Step:
    ids = [step.id for step in earlier]
    skill = default_catalog().skills[sketch.call[0]]
    needs = None
    if sketch.needs is not None:
        needs = tuple(dict.fromkeys(ids[n % len(ids)] for n in sketch.needs)) if ids else ()
    for_each = _items(sketch.items, _outputs(earlier))
    params = _params(sketch, earlier, needs, for_each is not None, stands_in)
    when = When(ids[sketch.when[0] % len(ids)], sketch.when[1]) if sketch.when and ids else None
    return Step(
        id=sketch.name,
        skill=skill.id,
        params=params,
        needs=needs,
        when=when,
        on_error=OnError("fallback", fallback)
        if fallback
        else OnError("continue" if sketch.goes_on else "fail"),
        retry=_tighter(skill.retry, sketch.retry),
        timeout_s=sketch.timeout_s,
        iterations=sketch.iterations,
        for_each=for_each,
        expect=sketch.expect if isinstance(for_each, str) else None,
        approval=sketch.approval,
    )


def _items(stated: list[Any] | int | None, outputs: list[str]) -> tuple[Any, ...] | str | None:
    if isinstance(stated, int):
        sources = ["${inputs.items}", *(output for output in outputs if output.endswith(_OF_ANY_TYPE))]
        return sources[stated % len(sources)]
    return None if stated is None else tuple(stated)


def _tighter(
    policy: RetryPolicy, stated: tuple[int | None, float | None, float | None] | None
) -> RetryOverride | None:
    if stated is None or stated == (None, None, None):
        return None
    attempts, backoff, most = stated
    return RetryOverride(
        None if attempts is None else 1 + attempts % policy.max_attempts,
        None if backoff is None else backoff * policy.backoff_ms,
        None if most is None else most * policy.max_backoff_ms,
    )


def _outputs(earlier: list[Step]) -> list[str]:
    """References to whole and to main outputs; a step with `for_each` has one per item."""
    skills = default_catalog().skills
    found = []
    for step in earlier:
        item = ".0" if step.for_each is not None else ""
        found.append(f"${{steps.{step.id}.output{item}}}")
        if main := skills[step.skill].main_output:
            found.append(f"${{steps.{step.id}.output{item}.{main}}}")
    return found


_WHOLE = re.compile(r"\$\{steps\.[^.]+\.output(\.0)?\}").fullmatch
_OF_ANY_TYPE = (".body}", ".result}")
"""Main outputs that may turn out to be arrays."""
_ANYTHING = {"input", "payload"}
"""Parameters that take a whole output, which is no text."""


def _params(
    sketch: _Sketch, earlier: list[Step], needs: tuple[str, ...] | None, in_items: bool, stands_in: bool
) -> dict[str, Any]:
    """The call's parameters with references in place of marks; a main input left out where that is legal."""
    skill, params = sketch.call
    references = ["${inputs.topic}", "${secrets.TOKEN}", *_outputs(earlier)]
    if in_items:
        references += ["${item}", "${index}"]
    before = earlier[-1:] if needs is None else [step for step in earlier if step.id in needs]
    main = default_catalog().skills[before[0].skill].main_output if len(before) == 1 else None
    left_out = MAIN_INPUTS.get(skill) if sketch.omit_main_input and main and not stands_in else None
    texts = [reference for reference in references if not _WHOLE(reference)]
    return {
        key: _referring(value, references if key in _ANYTHING else texts)
        for key, value in params.items()
        if key != left_out
    }


def _referring(value: Any, references: list[str]) -> Any:
    if isinstance(value, str):
        return re.sub("<([0-9]+)>", lambda mark: references[int(mark[1]) % len(references)], value)
    if isinstance(value, dict):
        return {key: _referring(item, references) for key, item in value.items()}
    if isinstance(value, list):
        return [_referring(item, references) for item in value]
    return value
