"""Every query of the dashboard asks for what is exported: metric, labels, and values that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.strategies.promql import Selector, asked
from tests.strategies.telling import ALLOWED, CATALOG, OBSERVED, REFUSED, WALL, Kept, connection, record, sink

from meshproof.runtime.core.messages import Side
from meshproof.runtime.telemetry.metrics import catalogue
from meshproof.runtime.telemetry.metrics.catalogue import CATALOGUE, Kind
from meshproof.runtime.telemetry.metrics.exposition import exposition
from meshproof.runtime.telemetry.metrics.registry import Registry
from meshproof.runtime.telemetry.metrics.snapshot import total
from meshproof.runtime.telemetry.sink import Outputs

DASHBOARD: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs/operations/grafana-dashboard.json").read_text(encoding="ascii")
)
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
_COUNTERS = {"rate", "increase"}


def _queries() -> Iterator[str]:
    for panel in PANELS:
        for target in panel.get("targets", ()):
            yield target["expr"]


QUERIES = tuple(_queries())


def _exported() -> dict[str, list[dict[str, str]]]:
    """The labels of all series of proxies to which all has happened, by the name of their samples."""
    told = sink(Outputs(access=Kept()))
    tcp = connection(protocol="tcp", decision=ALLOWED)
    told.opened(tcp)
    told.closed(tcp)
    for decision, status in ((ALLOWED, 200), (REFUSED, 403), (OBSERVED, 200)):
        told.request(record(connection(), decision=decision, status=status, audited=("no-plain",), decision_ns=900))
    told.request(record(connection(), (b"content-type", b"application/grpc"), messages_received=1))
    told.request(record(connection(side=Side.OUTBOUND), status=503, flags="UF", decision=None))
    told.fault("it speaks no TLS")
    told.event("catalog", "retry")
    told.reloaded(is_taken=True)
    told.certificate(CATALOG, WALL)
    rest = Registry()
    for metric in (
        *(catalogue.POLICY_TAKEN, catalogue.WORKER_EXITS, catalogue.SPANS, catalogue.LOG_LOST, catalogue.BUILD_INFO),
    ):
        rest.number(metric, *("x" for _ in metric.labels)).value += 1
    for number in range(1001):
        rest.number(catalogue.CERTIFICATE_EXPIRY, f"spiffe://x/{number}").value = WALL
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(exposition(total((told.snapshot(), rest.snapshot()))).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


EXPORTED = _exported()


def _selectors() -> Iterator[Selector]:
    for query in QUERIES:
        yield from asked(query.replace("$destination", ".*")).selectors


def test_what_is_exported_is_the_whole_catalogue() -> None:
    ends = {name: [name, f"{name}_bucket"] for name in (metric.name for metric in CATALOGUE)}
    assert [name for name, names in ends.items() if not any(one in EXPORTED for one in names)] == []


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_finds_series_and_groups_by_labels_that_they_have(query: str) -> None:
    found = asked(query.replace("$destination", ".*"))
    assert found.selectors
    known: set[str] = set()
    for selector in found.selectors:
        series = EXPORTED.get(selector.metric, [])
        labels = set().union(*series)
        assert {label for label, _, _ in selector.matchers} <= labels, selector
        assert [one for one in series if selector.takes(one)], selector
        known |= labels
    assert found.grouped_by <= known


@pytest.mark.parametrize("query", QUERIES)
def test_counters_are_asked_for_their_rate_and_gauges_for_what_they_are(query: str) -> None:
    kinds = {metric.name: metric.kind for metric in CATALOGUE}
    for selector in asked(query).selectors:
        name = re.sub(r"_(bucket|sum|count)$", "", selector.metric)
        kind = kinds.get(selector.metric, kinds.get(name))
        assert selector.has_range is (kind is not Kind.GAUGE), selector
        assert (selector.function in _COUNTERS) is selector.has_range, selector
        assert ("_bucket" in selector.metric) is ("histogram_quantile" in query)


def test_each_own_metric_is_shown() -> None:
    names = {re.sub(r"_(bucket|sum|count)$", "", selector.metric) for selector in _selectors()}
    assert {metric.name for metric in CATALOGUE if metric.name.startswith("meshproof_")} - names == set()


def test_labels_in_legends_are_those_of_the_query() -> None:
    for panel in PANELS:
        for target in panel.get("targets", ()):
            used = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert used <= asked(target["expr"]).grouped_by, target


def test_the_variables_are_of_what_is_exported() -> None:
    first, *rest = DASHBOARD["templating"]["list"]
    assert (first["type"], first["query"]) == ("datasource", "prometheus")
    for variable in rest:
        found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
        assert found is not None
        [selector] = asked(found[1]).selectors
        assert [labels for labels in EXPORTED[selector.metric] if selector.takes(labels) and labels[found[2]]]
    used = {name for query in QUERIES for name in re.findall(r"\$(\w+)", query)}
    assert used == {"destination", "__rate_interval", "__range"}


def test_panels_have_their_own_numbers_places_and_data_source() -> None:
    numbers = [panel["id"] for panel in PANELS]
    assert len(set(numbers)) == len(numbers)
    taken: dict[tuple[int, int], int] = {}
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["id"]) == panel["id"]
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${datasource}"
        assert panel["type"] == "row" or panel["description"].endswith(".")
    rows = [panel["gridPos"]["y"] for panel in PANELS]
    assert all(one <= other for one, other in pairwise(rows))


@pytest.mark.parametrize("query", ["sum(rate(x[5m])", "rate(x[5m]))", 'x{a="b"', "x{a}", "x # y"])
def test_what_is_no_query_is_said_to_be_none(query: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        asked(query)


def test_what_a_query_asks_for_is_found_in_it() -> None:
    found = asked('sum by (le, a) (rate(x_bucket{a="b",c!~"d.*"}[5m])) / on (a) y > 3')
    assert found.grouped_by == {"le", "a"}
    assert [one.metric for one in found.selectors] == ["x_bucket", "y"]
    assert found.selectors[0].matchers == (("a", "=", "b"), ("c", "!~", "d.*"))
    assert found.selectors[0].takes({"a": "b"})
    assert not found.selectors[0].takes({"a": "b", "c": "do"})
