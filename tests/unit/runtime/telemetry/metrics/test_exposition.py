"""The text is read by Prometheus' own reader, and says what was counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from meshproof.runtime.telemetry.metrics import catalogue
from meshproof.runtime.telemetry.metrics.catalogue import CATALOGUE, Kind
from meshproof.runtime.telemetry.metrics.exposition import exposition
from meshproof.runtime.telemetry.metrics.registry import Registry


def test_a_histogram_is_told_in_full() -> None:
    registry = Registry()
    for seconds in (1e-6, 3e-6, 1.0):
        registry.histogram(catalogue.DECISION_SECONDS).observe(seconds)
    lines = exposition(registry.snapshot()).decode().splitlines()
    assert lines[:3] == [
        "# HELP meshproof_decision_seconds How long decisions took, where that was measured.",
        "# TYPE meshproof_decision_seconds histogram",
        'meshproof_decision_seconds_bucket{le="1e-06"} 1',
    ]
    assert lines[4] == 'meshproof_decision_seconds_bucket{le="5e-06"} 2'
    assert lines[-3:] == [
        'meshproof_decision_seconds_bucket{le="+Inf"} 3',
        "meshproof_decision_seconds_sum 1.000004",
        "meshproof_decision_seconds_count 3",
    ]


@given(
    st.dictionaries(st.text(max_size=20).filter(lambda text: "\x00" not in text), st.integers(0, 10**17), max_size=5)
)
def test_any_text_may_be_a_label(counts: dict[str, int]) -> None:
    registry = Registry()
    for what, count in counts.items():
        registry.number(catalogue.FAULTS, what).value = count
    text = exposition(registry.snapshot()).decode()
    read = {
        sample.labels["what"]: float(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert read == {what: float(count) for what, count in counts.items()}
    assert text.endswith("\n") or not counts


def test_the_catalogue_is_as_prometheus_wants_names() -> None:
    assert len({metric.name for metric in CATALOGUE}) == len(CATALOGUE)
    for metric in CATALOGUE:
        assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total"), metric.name
        assert (metric.kind is Kind.HISTOGRAM) == bool(metric.bounds), metric.name
        assert list(metric.bounds) == sorted(set(metric.bounds))
        assert metric.help.endswith(".")
