from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.telemetry.metrics import catalogue
from meshproof.runtime.telemetry.metrics.registry import Registry
from meshproof.runtime.telemetry.metrics.snapshot import (
    Sample,
    Snapshot,
    SnapshotError,
    Totals,
    dump,
    lasting,
    load,
    total,
)


def _counted(faults: int, seconds: tuple[float, ...] = (), expiry: float | None = None) -> Snapshot:
    registry = Registry()
    registry.number(catalogue.FAULTS, "it is slow").value = faults
    for taken in seconds:
        registry.histogram(catalogue.DECISION_SECONDS).observe(taken)
    if expiry is not None:
        registry.number(catalogue.CERTIFICATE_EXPIRY, "spiffe://a/b").value = expiry
        registry.number(catalogue.POLICY_INFO, "sha256:1").value = 1
        registry.number(catalogue.CONNECTIONS, "inbound").value = 3
    return registry.snapshot()


@given(st.integers(0, 2**53), st.lists(st.floats(0, 1)))
def test_what_is_written_is_read(faults: int, seconds: list[float]) -> None:
    snapshot = _counted(faults, tuple(seconds), 17.5)
    assert load(dump(snapshot)) == snapshot


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b'{"meshproof_faults_total":7}', b'{"meshproof_faults_total":[[1]]}']
)
def test_what_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(SnapshotError):
        load(text)


def test_counts_are_added_and_gauges_become_what_holds_for_all() -> None:
    both = total((_counted(3, (1.5e-6,), 50.0), _counted(4, (1.5e-6, 1.0), 40.0)))
    assert both["meshproof_faults_total"] == {("it is slow",): Sample(7)}
    assert both["meshproof_certificate_expiry_seconds"] == {("spiffe://a/b",): Sample(40.0)}
    assert both["meshproof_policy_info"] == {("sha256:1",): Sample(1)}
    assert both["meshproof_connections_open"] == {("inbound",): Sample(6)}
    decided = both["meshproof_decision_seconds"][()]
    assert (sum(decided.buckets), decided.buckets[1], decided.buckets[-1]) == (3, 2, 1)


def test_the_counts_of_a_worker_that_has_ended_stay() -> None:
    totals = Totals()
    totals.told(1, _counted(3, (), 50.0))
    totals.told(1, _counted(5, (), 50.0))
    totals.told(2, _counted(4))
    totals.ended(1)
    totals.ended(7)
    found = totals.snapshot(_counted(1))
    assert found["meshproof_faults_total"] == {("it is slow",): Sample(10)}
    assert "meshproof_certificate_expiry_seconds" not in found
    assert "meshproof_connections_open" not in lasting(_counted(1, (), 5.0))
