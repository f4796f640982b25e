"""What is told of requests, connections and faults ends in metrics and lines."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.strategies.telling import (
    ALLOWED,
    CATALOG,
    FRONT,
    MONOTONIC,
    OBSERVED,
    REFUSED,
    WALL,
    Kept,
    connection,
    record,
    shop,
    sink,
)

from meshproof.runtime.core.messages import ResponseHead, Side
from meshproof.runtime.telemetry.decisions import DecisionLines, DecisionLogSettings
from meshproof.runtime.telemetry.metrics.exposition import exposition
from meshproof.runtime.telemetry.sink import Outputs, Sink


def _samples(of: Sink, name: str) -> list[tuple[dict[str, str], float]]:
    text = exposition(of.snapshot()).decode()
    families = text_string_to_metric_families(text)
    return [(one.labels, one.value) for family in families for one in family.samples if one.name == name]


def test_a_request_counts_under_the_labels_of_istio() -> None:
    told = sink()
    told.request(record(connection()))
    told.request(record(connection()))
    assert _samples(told, "istio_requests_total") == [
        (
            {
                "reporter": "destination",
                "source_workload": "front",
                "source_workload_namespace": "shop",
                "source_principal": FRONT,
                "source_app": "front",
                "source_version": "unknown",
                "source_cluster": "unknown",
                "source_canonical_service": "front",
                "source_canonical_revision": "latest",
                "destination_workload": "catalog",
                "destination_workload_namespace": "shop",
                "destination_principal": CATALOG,
                "destination_app": "catalog",
                "destination_version": "unknown",
                "destination_cluster": "unknown",
                "destination_canonical_service": "catalog",
                "destination_canonical_revision": "latest",
                "destination_service": "catalog.shop.svc.cluster.local",
                "destination_service_name": "catalog",
                "destination_service_namespace": "shop",
                "request_protocol": "http",
                "response_flags": "-",
                "connection_security_policy": "mutual_tls",
                "response_code": "200",
                "grpc_response_status": "",
            },
            2.0,
        )
    ]
    assert [value for _, value in _samples(told, "istio_request_duration_milliseconds_sum")] == [pytest.approx(3.0)]
    assert [value for _, value in _samples(told, "istio_request_bytes_sum")] == [20]
    assert [value for _, value in _samples(told, "istio_response_bytes_sum")] == [2468]
    buckets = {labels["le"]: value for labels, value in _samples(told, "istio_request_duration_milliseconds_bucket")}
    assert (buckets["1"], buckets["5"]) == (0, 2)
    assert _samples(told, "istio_request_messages_total") == []


def test_what_distinguishes_requests_distinguishes_series() -> None:
    told = sink()
    plain = connection(identity=None, is_tls=False, opened=1.0)
    for one in (
        record(connection()),
        record(connection(), status=503, flags="UF"),
        record(plain, status=403, decision=REFUSED),
        record(connection(identity="spiffe://elsewhere/ns/far/sa/x")),
        record(connection(identity="spiffe://cluster.local/ns/shop/sa/twin")),
    ):
        told.request(one)
    keys = (
        "source_workload",
        "source_workload_namespace",
        "response_code",
        "response_flags",
        "connection_security_policy",
    )
    found = {tuple(labels[key] for key in keys) for labels, _ in _samples(told, "istio_requests_total")}
    assert found == {
        ("front", "shop", "200", "-", "mutual_tls"),
        ("front", "shop", "503", "UF", "mutual_tls"),
        ("unknown", "unknown", "403", "-", "none"),
        ("unknown", "far", "200", "-", "mutual_tls"),
        ("unknown", "shop", "200", "-", "mutual_tls"),  # two services share it: nobody knows which one called
    }


@pytest.mark.parametrize(
    ("trailers", "fields", "status"),
    [
        ([(b"grpc-status", b"7")], [], "7"),
        (None, [(b"grpc-status", b"12")], "12"),
        ([(b"grpc-status", b"99")], [], "unknown"),
        ([], [], "unknown"),
    ],
)
def test_grpc_tells_its_status_and_its_messages(
    trailers: list[tuple[bytes, bytes]] | None, fields: list[tuple[bytes, bytes]], status: str
) -> None:
    told = sink()
    one = record(connection(), (b"content-type", b"application/grpc+proto"), trailers=trailers, messages_received=2)
    told.request(replace(one, response=ResponseHead(200, fields), messages_sent=3))
    [(labels, _)] = _samples(told, "istio_requests_total")
    assert (labels["request_protocol"], labels["grpc_response_status"]) == ("grpc", status)
    assert [value for _, value in _samples(told, "istio_request_messages_total")] == [2]
    assert [value for _, value in _samples(told, "istio_response_messages_total")] == [3]


@pytest.mark.parametrize(
    ("destination", "service", "version"),
    [
        ("", "catalog.shop.svc.cluster.local", "unknown"),
        ("v2", "catalog.shop.svc.cluster.local", "v2"),
        ("bank:443", "api.bank.example", "unknown"),
        ("10.0.0.9:443", "catalog.shop.svc.cluster.local", "unknown"),
    ],
)
def test_the_proxy_of_a_caller_reports_as_the_source(destination: str, service: str, version: str) -> None:
    told = sink()
    out = connection(side=Side.OUTBOUND, identity=None, local_identity=FRONT, is_tls=False)
    told.request(record(out, decision=None, destination=destination))
    [(labels, _)] = _samples(told, "istio_requests_total")
    assert (labels["reporter"], labels["source_workload"], labels["destination_service"]) == (
        "source",
        "front",
        service,
    )
    assert (labels["destination_version"], labels["connection_security_policy"]) == (version, "unknown")
    assert _samples(told, "meshproof_decisions_total") == []


def test_decisions_count_by_rule_and_as_if_nothing_was_only_observed() -> None:
    told = sink()
    for decision in (ALLOWED, ALLOWED, REFUSED, OBSERVED):
        told.request(record(connection(), decision=decision, decision_ns=1500))
    assert {
        (labels["decision"], labels["rule"], value) for labels, value in _samples(told, "meshproof_decisions_total")
    } == {
        ("allow", "browse", 2),
        ("deny", "", 1),
        ("observe", "", 1),
    }
    assert {(labels["decision"], value) for labels, value in _samples(told, "meshproof_shadow_decisions_total")} == {
        ("allow", 2),
        ("deny", 2),
    }
    assert {(one["source"], one["destination"]) for one, _ in _samples(told, "meshproof_decisions_total")} == {
        ("front", "catalog")
    }
    assert _samples(told, "meshproof_decision_seconds_count") == [({}, 4)]


def test_connections_are_open_until_they_are_closed() -> None:
    told = sink()
    one, other = connection(), connection(peer="10.0.0.8:1")
    told.opened(one)
    told.opened(other)
    assert ({"side": "inbound"}, 2.0) in _samples(told, "meshproof_connections_open")
    told.closed(one)
    told.closed(one)
    assert ({"side": "inbound"}, 1.0) in _samples(told, "meshproof_connections_open")
    assert _samples(told, "istio_tcp_connections_opened_total") == []


def test_a_connection_over_tcp_counts_while_it_is_open() -> None:
    log, decided = Kept(), Kept()
    told = sink(Outputs(access=log, decisions=decided))
    one = connection(protocol="tcp", decision=ALLOWED, policy="sha256:ab")
    told.opened(one)
    one.received, one.sent = 100, 200
    told.tick(WALL + 1, MONOTONIC + 1)
    assert [value for _, value in _samples(told, "istio_tcp_received_bytes_total")] == [100]
    one.received, one.sent, one.closed, one.flags = 150, 250, MONOTONIC + 2, "UC"
    told.closed(one)
    assert [value for _, value in _samples(told, "istio_tcp_sent_bytes_total")] == [250]
    assert [labels["response_flags"] for labels, _ in _samples(told, "istio_tcp_connections_closed_total")] == ["UC"]
    [line] = log.kept
    read = json.loads(line)
    assert (read["duration"], read["bytes_sent"], read["rule"], read["method"]) == (2000, 250, "browse", None)
    assert json.loads(decided.kept[0] + "}")["decision"] == "allow"
    assert [value for _, value in _samples(told, "meshproof_decisions_total")] == [1]


def test_another_policy_is_told_of_from_the_next_request_on() -> None:
    told = sink()
    one = connection()
    told.opened(one)
    told.request(record(one))
    told.policy(None, "sha256:cd")
    told.request(record(one))
    assert _samples(told, "meshproof_policy_info") == [({"hash": "sha256:cd"}, 1)]
    assert {labels["source_workload"] for labels, _ in _samples(told, "istio_requests_total")} == {"front", "unknown"}
    told.policy(shop(), "sha256:ab")
    told.request(record(one))
    assert sorted(value for _, value in _samples(told, "istio_requests_total")) == [1, 2]


def test_what_the_process_tells_is_exported() -> None:
    told = sink(Outputs(access=Kept()))
    told.fault("it does not read its answers")
    told.fault("it does not read its answers")
    told.event("bank", "retry")
    told.reloaded(is_taken=False)
    told.certificate(CATALOG, 1_790_003_600.0)
    told.certificate(FRONT, 1_790_007_200.0)
    assert _samples(told, "meshproof_faults_total") == [({"what": "it does not read its answers"}, 2)]
    assert _samples(told, "meshproof_upstream_events_total") == [({"destination": "bank", "event": "retry"}, 1)]
    assert _samples(told, "meshproof_config_reload_total") == [({"result": "refused"}, 1)]
    assert _samples(told, "meshproof_certificate_expiry_seconds") == [({"spiffe_id": FRONT}, 1_790_007_200.0)]
    assert _samples(told, "meshproof_log_lines_total") == [({"log": "access"}, 0)]


def test_callers_without_end_make_no_series_without_end() -> None:
    told = sink()
    for number in range(3000):
        told.request(record(connection(identity=f"spiffe://cluster.local/ns/shop/sa/x{number}")))
    found = told.snapshot()
    assert len(found["istio_requests_total"]) == 1001
    assert sum(sample.value for sample in found["istio_requests_total"].values()) == 3000
    assert sum(sample.value for sample in found["meshproof_decisions_total"].values()) == 3000
    assert set(found["meshproof_metric_overflows_total"]) == {("istio_requests_total",), ("meshproof_decisions_total",)}


def test_a_tick_and_an_end_write_what_waits() -> None:
    access, decisions = Kept(), Kept()
    told = sink(Outputs(access=access, decisions=decisions, decision_lines=DecisionLines(DecisionLogSettings())))
    told.tick(WALL, MONOTONIC)
    told.close(1.0)
    assert (access.flushes, decisions.flushes) == (1, 1)


def test_audited_rules_that_are_met_are_counted_and_logged() -> None:
    access, decisions = Kept(), Kept()
    told = sink(Outputs(access=access, decisions=decisions))
    told.request(record(connection(), audited=("no-plain", "no-one")))
    told.request(record(connection()))
    one = connection(protocol="tcp", decision=ALLOWED, audited=("no-plain",), closed=MONOTONIC + 1)
    told.opened(one)
    told.closed(one)
    labels = {"source": "front", "destination": "catalog"}
    assert _samples(told, "meshproof_audited_total") == [
        ({"rule": "no-one", **labels}, 1),
        ({"rule": "no-plain", **labels}, 2),
    ]
    assert [json.loads(line).get("audited") for line in access.kept] == [["no-plain", "no-one"], None, ["no-plain"]]
    logged = [json.loads(line + "}").get("audited") for line in decisions.kept]
    assert logged == [["no-plain", "no-one"], None, ["no-plain"]]


def test_faults_are_told_once_in_a_while() -> None:
    said: list[tuple[str, dict[str, str | int]]] = []
    told = sink(Outputs(tell=lambda event, **more: said.append((event, more))))
    for _ in range(3):
        told.fault("it speaks no TLS")
    told.close(1.0)
    assert said == [
        ("refused", {"what": "it speaks no TLS", "times": 1}),
        ("refused", {"what": "it speaks no TLS", "times": 2}),
    ]
