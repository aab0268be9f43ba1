"""Counters of a server, as Prometheus would read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from aos.sdk.counters import counters

LABELS = st.text(max_size=8)


@given(st.dictionaries(LABELS, st.floats(0, 1e9), max_size=4))
def test_a_counter_is_the_sum_over_its_labels(values: dict[str, float]) -> None:
    registry = CollectorRegistry()
    told = Counter("nova_things_total", "Things", ["what"], registry=registry)
    for what, value in values.items():
        told.labels(what).inc(value)
    text = generate_latest(registry).decode()
    theirs = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "nova_things_total"
    ]
    assert counters(text).get("nova_things_total", 0.0) == pytest.approx(sum(theirs))


@given(st.text())
def test_what_is_no_such_text_is_passed_over(text: str) -> None:
    assert all(name.endswith("_total") for name in counters(text))


@pytest.mark.parametrize(
    "line", ["a_total", "a_total{", "a_total nan", 'a_total{x="y"} +Inf', "a_total one", "a_sum 3"]
)
def test_a_line_without_a_number_counts_nothing(line: str) -> None:
    assert counters(line) == {}
