"""Where callers are honest: what their proxies do not send comes nowhere, and what is not told stays unknown."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from tests.unit.targets.appmesh.lift.scenes import (
    DOMAIN,
    PAY,
    WEB,
    gateway,
    gateway_route,
    listener,
    node,
    read,
    read_text,
    route,
    router,
    sds,
    service,
    tls,
    validated,
)

from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.semantics import NotModelled, decide

DAY = date(2026, 11, 25)
COOPERATIVE = (("app-mesh.judgement", "cooperative"),)
SHOP = {"meshName": "shop", "spec": {}}
OPEN = {"meshName": "shop", "spec": {"egressFilter": {"type": "ALLOW_ALL"}}}
OTHER = f"{DOMAIN}/ns/shop/sa/other"
PLAIN = node("pay", listener(9000))
TO_PAY = service("pay.local", node="pay")
CALLERS = ("web", "other", "pay")


def _mesh(*resources: Any) -> Mesh:  # noqa: ANN401  JSON
    lifted = read(*resources, settings=COOPERATIVE)
    assert lifted.mesh is not None, [one.message for one in lifted.diagnostics]
    assert lifted.mesh.judgement is Judgement.COOPERATIVE
    return lifted.mesh


def _may(
    mesh: Mesh, caller: str | None, path: str = "/", method: str = "GET", port: int = 9000, to: str = "pay"
) -> Any:  # noqa: ANN401  three
    nodes: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    known = {str(one.name).removeprefix("shop/"): one.identity.uri for one in nodes}
    request = {
        "source": {"identity": known.get(caller or "", caller)},
        "destination": {"service": f"shop/{to}"},
        "port": port,
        "protocol": "http",
        "method": method,
        "path": path,
        "host": "pay.local",
    }
    try:
        return decide(mesh, request_from_json(json.dumps(request), mesh), DAY).is_allowed
    except NotModelled:
        return None


def _who(mesh: Mesh, **more: Any) -> list[str]:  # noqa: ANN401
    return [caller for caller in CALLERS if _may(mesh, caller, **more)]


def _web(*backends: str, shows: str | None = None) -> Any:  # noqa: ANN401  JSON
    return node("web", listener(8080), backends=backends, shows=shows)


OTHERS = (node("other"),)


def test_those_come_whose_nodes_have_a_backend_that_leads_there() -> None:
    mesh = _mesh(SHOP, _web("pay.local"), PLAIN, TO_PAY, *OTHERS)
    assert _who(mesh) == ["web"]
    assert _may(mesh, None) is False
    assert _may(mesh, f"{DOMAIN}/ns/shop/sa/stranger") is False


@pytest.mark.parametrize(
    "resources",
    [
        (_web(), TO_PAY),
        (_web("else.local"), TO_PAY),
        (_web("pay.local"),),
        (_web("pay.local"), service("pay.local")),
        (_web("pay.local"), service("pay.local", router="r"), router("r", 9000)),
        (
            _web("pay.local"),
            service("pay.local", router="r"),
            router("r", 9000),
            route("a", "r", {"prefix": "/"}, other=1),
        ),
        (
            _web("pay.local"),
            service("pay.local", router="r"),
            router("r", 9000),
            route("a", "r", {"prefix": "/"}, other=1, pay=0),
        ),
        (
            _web("pay.local"),
            service("pay.local", router="r"),
            router("r", 9000),
            route("a", "r", {"prefix": "/", "port": 81}, pay=1),
        ),
    ],
)
def test_what_leads_nowhere_or_elsewhere_lets_nobody_come(resources: tuple[Any, ...]) -> None:
    assert _who(_mesh(SHOP, PLAIN, *OTHERS, *resources)) == []


def test_the_first_route_by_priority_counts_and_takes_from_those_behind_it() -> None:
    routed = (_web("pay.local"), service("pay.local", router="r"), router("r", 9000), PLAIN, *OTHERS)
    first = route("a", "r", {"prefix": "/admin"}, 1, other=1)
    second = route("b", "r", {"prefix": "/", "method": "GET"}, 2, pay=1)
    mesh = _mesh(SHOP, *routed, first, second)
    assert _may(mesh, "web", "/x") is True
    assert _may(mesh, "web", "/admin/x") is False
    assert _may(mesh, "web", "/x", "POST") is False
    same = _mesh(SHOP, *routed, route("a", "r", {"prefix": "/admin"}, 2, other=1), second)
    assert _may(same, "web", "/admin/x") is None
    assert _may(same, "web", "/x") is True


def test_where_proxies_let_everything_out_they_keep_nobody_out() -> None:
    made = (OPEN, _web("pay.local"), PLAIN, TO_PAY, *OTHERS)
    assert _may(_mesh(*made), None) is True
    enforced = read(*made).mesh
    assert enforced is not None
    assert _mesh(*made).rules == enforced.rules


def test_without_the_mesh_nobody_tells_whether_proxies_keep_anything() -> None:
    mesh = _mesh(_web("pay.local"), PLAIN, TO_PAY, *OTHERS)
    assert [_may(mesh, caller) for caller in ("web", "other", None)] == [True, None, None]


def test_a_node_with_groups_of_backends_may_call_anything() -> None:
    objects = "\n---\n".join(
        json.dumps(one)
        for one in (
            {"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "Mesh", "metadata": {"name": "shop"}, "spec": {}},
            _object("pay", {"listeners": [listener(9000)], "serviceDiscovery": {"dns": {"hostname": "pay.local"}}}),
            _object("web", {"backendGroups": [{"name": "all", "namespace": "shop"}]}),
            _object("other", {}),
        )
    )
    mesh = read_text(objects, settings=COOPERATIVE).mesh
    assert mesh is not None
    assert _may(mesh, "web") is None
    assert _may(mesh, "other") is False


def _object(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode", "metadata": metadata, "spec": spec}


# --- TLS -------------------------------------------------------------------------------------------

STRICT = node("pay", listener(9000, tls=tls("STRICT", PAY, validated(WEB, OTHER))))


def test_listeners_that_ask_for_names_keep_those_out_that_have_others() -> None:
    """And those out that have a name and no way, which servers would let in."""
    resources = (SHOP, _web("pay.local", shows=WEB), node("other", shows=OTHER), STRICT, TO_PAY)
    assert _who(_mesh(*resources)) == ["web"]
    assert _who(_mesh(SHOP, _web("pay.local", shows=f"{DOMAIN}/x"), *OTHERS, STRICT, TO_PAY)) == []
    assert _who(_mesh(SHOP, _web("pay.local"), *OTHERS, STRICT, TO_PAY)) == []


def test_names_that_no_node_has_come_in_as_before() -> None:
    """Of the proxies of such callers nothing is known."""
    mesh = _mesh(SHOP, _web("pay.local", shows=WEB), STRICT, TO_PAY)
    assert _may(mesh, OTHER) is True
    assert _may(mesh, f"{DOMAIN}/ns/shop/sa/stranger") is False


def _calling(policy: Any, server: Any = PLAIN) -> Mesh:  # noqa: ANN401  JSON
    made = _web()
    made["spec"]["backends"] = [{"virtualService": {"virtualServiceName": "pay.local", "clientPolicy": policy}}]
    return _mesh(SHOP, made, server, TO_PAY, *OTHERS)


def _client(shows: str | None = WEB, **more: Any) -> Any:  # noqa: ANN401  JSON
    shown = {} if shows is None else {"certificate": sds(shows)}
    return {"tls": {"validation": {"trust": sds(DOMAIN)}, **shown, **more}}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, True),
        (_client(), False),
        (_client(enforce=False), True),
        (_client(ports=[1]), True),
        (_client(ports=[9000]), False),
    ],
)
def test_where_no_tls_is_spoken_none_is_taken(policy: Any, expected: bool) -> None:  # noqa: ANN401
    assert _may(_calling(policy), "web") is expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (_client(), True),
        (_client(None), False),
        ({}, False),
        (_client(validation=validated(PAY)), True),
        (_client(validation=validated(OTHER)), False),
        (_client(certificate={"file": {"certificateChain": "/c", "privateKey": "/k"}}), None),
        (_client("spiffe://${AWS::AccountId}/web"), None),
    ],
)
def test_what_certificates_say_counts_as_far_as_files_tell(policy: Any, expected: bool | None) -> None:  # noqa: ANN401
    assert _may(_calling(policy, STRICT), "web") is expected


def test_of_those_that_share_a_name_nobody_tells_which_one_calls() -> None:
    mesh = _mesh(SHOP, _web("pay.local", shows=WEB), node("other", shows=WEB), STRICT, TO_PAY)
    assert _may(mesh, WEB) is None


def test_a_name_that_is_not_settled_is_nobodys_who_has_no_way() -> None:
    unsettled = node("pay", listener(9000, tls=tls("STRICT", PAY, validated("spiffe://${X}/web"))))
    mesh = _mesh(SHOP, _web("pay.local", shows=WEB), node("other", shows=OTHER), unsettled, TO_PAY)
    assert _may(mesh, "web") is None
    assert _may(mesh, "other") is False


# --- gateways, and what is said of it --------------------------------------------------------------


def test_a_gateway_comes_where_its_routes_lead() -> None:
    resources = (SHOP, gateway("gate", listener(80)), PLAIN, TO_PAY, *OTHERS)
    leading = gateway_route("a", {"prefix": "/"}, "pay.local")
    assert _may(_mesh(*resources, leading), "gate") is True
    assert _may(_mesh(*resources), "gate") is False


def test_whoever_shows_no_name_has_that_of_its_account_unless_it_is_taken() -> None:
    plain = {one.name: one.identity.uri for one in _mesh(SHOP, _web("pay.local"), PLAIN, TO_PAY).services}
    assert plain == {"shop/web": "spiffe://shop/ns/shop/sa/web", "shop/pay": "spiffe://shop/ns/shop/sa/pay"}
    taken = _mesh(SHOP, _web("pay.local"), STRICT, TO_PAY)
    (web,) = (one for one in taken.services if one.name == "shop/web")
    assert web.identity.uri == f"{DOMAIN}/node/web"
    assert _may(taken, WEB) is True


def test_that_callers_are_believed_is_the_first_premise() -> None:
    mesh = _mesh(SHOP, _web("pay.local"), PLAIN, TO_PAY)
    assert mesh.premises[0] == (
        "every caller's own proxy is honest: what backends, routes and client TLS refuse is cooperative, not enforced"
    )
    enforced = read(SHOP, PLAIN).mesh
    assert enforced is not None
    assert enforced.judgement is Judgement.ENFORCED
    assert not any("honest" in one for one in enforced.premises)
