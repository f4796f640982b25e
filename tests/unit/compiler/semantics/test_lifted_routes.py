"""What routes hold that lifted files alone have."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies.building import EDGE, SHOP, branch, connection, gateway, mesh, request, route_to, target
from tests.strategies.vocabulary import DAY

from meshproof.compiler.ir.decision import RouteOutcome
from meshproof.compiler.ir.decision_json import route_to_json
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.compiler.ir.routing import Branch, Redirect, Settings
from meshproof.compiler.semantics import route
from meshproof.compiler.semantics.hops import forwarded


def outcome(
    one: Branch, *, port: int | None = None, layer: Layer | None = None, asked: Request | None = None
) -> RouteOutcome:
    policy = replace(mesh(), routes=(replace(route_to(SHOP, one, port=port), layer=layer),))
    found = route(policy, request() if asked is None else asked, DAY)
    assert found is not None
    return found


def test_a_share_that_goes_to_either_of_several_nodes_is_one_share_by_its_label() -> None:
    first, second = target(), replace(target(EDGE), is_alternative=True)
    found = outcome(branch(None, replace(first, label="shop:80"), replace(second, label="shop:80")))
    assert found.destinations == (("shop:80", 100),)


def test_both_nodes_get_what_a_gateway_forwards() -> None:
    policy = _at_edge(branch(None, target(port=8080), replace(target(EDGE, port=8080), is_alternative=True)))
    sent = forwarded(policy, replace(request(EDGE, None), port=8080), DAY)
    assert [one.destination for one in sent] == [SHOP, EDGE]


def test_a_host_that_is_rewritten_goes_on() -> None:
    one = branch(None, target(port=8080), settings=Settings(rewrite_host="other.example"))
    asked = replace(request(EDGE, None), port=8080)
    assert [sent.host for sent in forwarded(_at_edge(one), asked, DAY)] == ["other.example"]
    assert route_to_json(outcome(one))["host"] == "other.example"


def _at_edge(one: Branch) -> Mesh:
    return replace(mesh(), gateways=(gateway(),), routes=(route_to(EDGE, one),))


def test_answers_of_the_proxy() -> None:
    found = outcome(replace(branch(None), answer=503))
    assert (found.destinations, found.answer) == ((), 503)
    moved = Redirect(302, None, "/x", branch().origin, scheme="https", port=444, replaces_prefix=True)
    assert route_to_json(outcome(replace(branch(None), redirect=moved)))["redirect"] == {
        "status": 302,
        "host": None,
        "path": "/x",
        "scheme": "https",
        "port": 444,
        "replaces_prefix": True,
    }


def test_what_nobody_wrote_has_no_name() -> None:
    assert outcome(branch(None, target(), name="b")).branch == "b"
    assert outcome(replace(branch(None, target(), name="b"), is_implied=True)).branch is None


def test_the_name_of_a_branch_of_files_says_its_rule_alone() -> None:
    found = outcome(branch(None, target(), name="shop/routes[1]@shop/api:8080/http"))
    assert route_to_json(found)["branch"] == "shop/routes[1]"


AS_CALLED = (("shop:8080", 100),)
CONNECTED = (("shop:5432", 100),)


@pytest.mark.parametrize(
    ("layer", "of_request", "of_connection"),
    [(None, "v1", "v1"), (Layer.HTTP, "v1", None), (Layer.TCP, None, "v1")],
)
def test_a_route_for_one_layer(layer: Layer | None, of_request: str | None, of_connection: str | None) -> None:
    one = branch(None, target(version="v1"))
    requested = outcome(one, port=8080, layer=layer).destinations
    connected = outcome(one, port=5432, layer=layer, asked=connection()).destinations
    assert requested == (((of_request, 100),) if of_request else AS_CALLED)
    assert connected == (((of_connection, 100),) if of_connection else CONNECTED)
