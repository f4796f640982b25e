from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.telling import FRONT, MONOTONIC, REFUSED, WALL, Kept, connection, record, sink

from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.names import RuleId
from meshproof.runtime.core.messages import Record
from meshproof.runtime.telemetry.access_log import HIDEABLE
from meshproof.runtime.telemetry.sink import Outputs

ISTIO = [
    "start_time",
    "method",
    "path",
    "protocol",
    "response_code",
    "response_flags",
    "response_code_details",
    "connection_termination_details",
    "bytes_received",
    "bytes_sent",
    "duration",
    "upstream_service_time",
    "x_forwarded_for",
    "user_agent",
    "request_id",
    "authority",
    "upstream_host",
    "upstream_cluster",
    "upstream_local_address",
    "downstream_local_address",
    "downstream_remote_address",
    "requested_server_name",
    "route_name",
    "upstream_transport_failure_reason",
]
OWN = ["peer", "rule", "decision", "policy_hash", "trace_id"]


def _line(told: Record, hidden: frozenset[str] = frozenset()) -> dict[str, object]:
    log = Kept()
    sink(Outputs(access=log, hidden=hidden)).request(told)
    [line] = log.kept
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    read = json.loads(line)
    assert isinstance(read, dict)
    return read


def test_a_line_has_the_keys_of_istio_and_ours() -> None:
    agent = ((b"user-agent", b"curl/8"), (b"x-forwarded-for", b"10.9.9.9"))
    read = _line(record(connection(sni="catalog.shop"), *agent, destination="v2"))
    assert sorted(read) == sorted((*ISTIO, *OWN))
    assert read | {} == {
        "start_time": "2026-09-21T14:13:21.250Z",
        "method": "GET",
        "path": "/items/7",
        "protocol": "HTTP/1.1",
        "response_code": 200,
        "response_flags": "-",
        "response_code_details": "via_upstream",
        "connection_termination_details": None,
        "bytes_received": 10,
        "bytes_sent": 1234,
        "duration": 1,
        "upstream_service_time": 0,
        "x_forwarded_for": "10.9.9.9",
        "user_agent": "curl/8",
        "request_id": "c0ffee",
        "authority": "catalog.shop",
        "upstream_host": "127.0.0.1:8080",
        "upstream_cluster": "v2",
        "upstream_local_address": None,
        "downstream_local_address": "10.0.0.1:8443",
        "downstream_remote_address": "10.0.0.7:5123",
        "requested_server_name": "catalog.shop",
        "route_name": None,
        "upstream_transport_failure_reason": None,
        "peer": FRONT,
        "rule": "browse",
        "decision": "allow",
        "policy_hash": "sha256:ab",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }


@pytest.mark.parametrize(
    ("asked", "responded", "told"),
    [(0.0, MONOTONIC + 1.25, 250), (MONOTONIC + 1.125, MONOTONIC + 1.25, 125), (MONOTONIC + 1.125, 0.0, None)],
)
def test_how_long_the_server_took(asked: float, responded: float, told: int | None) -> None:
    assert _line(record(connection(), asked=asked, responded=responded))["upstream_service_time"] == told


@pytest.mark.parametrize(
    ("decision", "details"),
    [
        (REFUSED, "rbac_access_denied_matched_policy[none]"),
        (Decision(False, Reason.RULE, (RuleId("a"), RuleId("b"))), "rbac_access_denied_matched_policy[a,b]"),
        (Decision(False, Reason.TOKEN), "jwt_authn_access_denied"),
        (Decision(False, Reason.PATH), "path_normalization_failed"),
        (Decision(False, Reason.ASK), "ext_authz_denied"),
        (Decision(True, Reason.RULE, (RuleId("a"),)), None),
        (None, None),
    ],
)
def test_without_a_response_the_details_say_why(decision: Decision | None, details: str | None) -> None:
    read = _line(record(connection(), decision=decision, response=None, status=403))
    assert read["response_code_details"] == details
    assert read["policy_hash"] == ("sha256:ab" if decision is not None else None)


def test_what_is_a_secret_is_in_no_line() -> None:
    secrets = ((b"authorization", b"Bearer s3cret"), (b"cookie", b"id=s3cret"), (b"x-api-key", b"s3cret"))
    log = Kept()
    sink(Outputs(access=log)).request(record(connection(), *secrets, target="/a;session=s3cret/b?token=s3cret"))
    [line] = log.kept
    assert "s3cret" not in line
    assert json.loads(line)["path"] == "/a;/b"


def test_what_is_hidden_is_null() -> None:
    fields = ((b"user-agent", b"curl/8"), (b"x-forwarded-for", b"10.9.9.9"))
    shown = _line(record(connection(), *fields))
    hidden = _line(record(connection(), *fields), frozenset(HIDEABLE))
    assert {key for key in shown if shown[key] is not None and hidden[key] is None} == set(HIDEABLE)


@given(st.binary(max_size=700), st.text(max_size=40), st.binary(max_size=40))
def test_whatever_a_peer_sends_is_one_line_of_json(agent: bytes, target: str, forwarded: bytes) -> None:
    fields = ((b"user-agent", agent), (b"x-forwarded-for", forwarded))
    read = _line(record(connection(), *fields, target=f"/{target}", request_id=target, flags="UF,URX"))
    assert read["user_agent"] == agent[:512].decode("latin-1")
    assert read["x_forwarded_for"] == forwarded.decode("latin-1")
    assert read["request_id"] == target


def test_a_long_path_is_cut() -> None:
    path = _line(record(connection(), target="/" + "a" * 100_000))["path"]
    assert isinstance(path, str)
    assert len(path) == 2048


def test_times_follow_the_clock_that_was_put_right() -> None:
    log = Kept()
    told = sink(Outputs(access=log))
    told.tick(WALL + 86_400, MONOTONIC)
    told.request(record(connection()))
    assert json.loads(log.kept[0])["start_time"] == "2026-09-22T14:13:21.250Z"
