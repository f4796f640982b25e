from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.compiler.driver.policies import DAY, TEA, policy

from meshproof.compiler.driver.deciding import Answered, answer

MESH = policy(TEA).meshes[0]
BOIL: dict[str, Any] = {
    "source": {"identity": "spiffe://cluster.local/ns/tea/sa/shop"},
    "destination": {"service": "kettle"},
    "port": 8080,
    "protocol": "http",
    "method": "POST",
    "path": "/boil",
    "host": "kettle",
}


def test_a_request_is_decided_and_routed() -> None:
    found = answer(MESH, json.dumps(BOIL), DAY)

    assert found.outcome is Answered.DECIDED
    decided = json.loads(found.text)
    assert (decided["decision"], decided["by"], decided["reason"]) == ("allow", "boil", "rule")
    assert decided["route"]["destinations"] == [["kettle:8080", 100]]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("[]", "object"),
        ('{"source": {}}', "destination"),
        (json.dumps({**BOIL, "wurst": 1}), "wurst"),
        (json.dumps({**BOIL, "destination": {"service": "teapot"}}), "teapot"),
        (json.dumps({**BOIL, "port": 0}), "port"),
        (json.dumps({**BOIL, "source": {"identity": "me"}}), "SPIFFE"),
        ("[" * 5000, "nested"),
    ],
)
def test_what_is_no_request_is_an_error_that_says_why(line: str, problem: str) -> None:
    found = answer(MESH, line, DAY)

    assert found.outcome is Answered.MALFORMED
    assert problem in json.loads(found.text)["error"]


def test_an_answer_that_is_missing_names_who_is_asked() -> None:
    asking = 'authorizer opa { address "opa:9191" protocol grpc timeout 1s }\nask ext: shop -> kettle { via opa }\n'
    mesh = policy(TEA, asking).meshes[0]

    assert json.loads(answer(mesh, json.dumps(BOIL), DAY).text) == {"error": "the decision needs the answer of `opa`"}
    assert json.loads(answer(mesh, json.dumps({**BOIL, "answers": {"opa": "deny"}}), DAY).text)["reason"] == "ask"


def test_a_route_that_is_not_known_does_not_hide_a_decision_that_is() -> None:
    versioned = TEA.replace("service kettle { port http 8080 }", "service kettle { port http 8080  versions v1, v2 }")
    routed = policy(versioned, 'route kettle { when host == "x.example" => v1  otherwise => v2 }\n')
    without_host = {name: value for name, value in BOIL.items() if name != "host"}

    decided = json.loads(answer(routed.meshes[0], json.dumps(without_host), DAY).text)

    assert (decided["decision"], "route" in decided) == ("allow", False)
    assert "`host`" in decided["route_error"]


def test_a_port_of_the_proxy_itself_is_under_no_policy() -> None:
    """Which those are is the reader's to say, whatever else listens there."""
    own = replace(MESH, proxy_ports=(8080,))

    found = answer(own, json.dumps(BOIL), DAY)

    assert found.outcome is Answered.UNDECIDED
    assert json.loads(found.text) == {"error": "port `8080` is the proxy's own, and under no policy"}
    assert answer(replace(own, proxy_ports=(15020,)), json.dumps(BOIL), DAY).outcome is Answered.DECIDED
