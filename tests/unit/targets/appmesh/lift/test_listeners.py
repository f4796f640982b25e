"""Who may connect: mode, authority and names of a listener, decided by the interpreter over what was read."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from tests.unit.targets.appmesh.lift.scenes import DOMAIN, PAY, WEB, listener, mesh_of, node, tls, validated

from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.semantics import NotModelled, decide
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.premises import premises_of

DAY = date(2026, 11, 25)
STRANGER = f"{DOMAIN}/ns/other/sa/other"
FOREIGN = "spiffe://other.example/ns/shop/sa/web"
BY_DNS = f"{DOMAIN}/dns/gate.shop.local"
CALLERS = (None, WEB, STRANGER, BY_DNS)


def _is_let_in(made: Any, caller: str | None, port: int = 9000, protocol: str = "http") -> bool:  # noqa: ANN401  JSON
    mesh = mesh_of(node("web", listener(8080), shows=WEB), made)
    http = {} if protocol == "tcp" else {"method": "DELETE", "path": "/admin", "host": "pay.local"}
    request = {
        "source": {"identity": caller},
        "destination": {"service": "shop/pay"},
        "port": port,
        "protocol": protocol,
        **http,
    }
    return decide(mesh, request_from_json(json.dumps(request), mesh), DAY).is_allowed


def _let_in(*listeners: dict[str, Any], **asked: Any) -> list[str | None]:  # noqa: ANN401  JSON
    made = node("pay", *listeners)
    return [caller for caller in CALLERS if _is_let_in(made, caller, **asked)]


def test_without_tls_everybody_comes_in_and_nobody_has_an_identity() -> None:
    assert _is_let_in(node("pay", listener(9000)), None)


@pytest.mark.parametrize("mode", ["STRICT", "PERMISSIVE", "DISABLED"])
def test_without_validation_nobody_is_asked_who_they_are(mode: str) -> None:
    assert _is_let_in(node("pay", listener(9000, tls=tls(mode))), None)


def test_strict_with_names_takes_those_alone() -> None:
    assert _let_in(listener(9000, tls=tls("STRICT", validation=validated(WEB)))) == [WEB]


def test_names_of_dns_are_identities_of_their_own() -> None:
    assert _let_in(listener(9000, tls=tls("STRICT", validation=validated("gate.shop.local", WEB)))) == [WEB, BY_DNS]


def test_without_names_every_certificate_of_the_authority_is_taken() -> None:
    assert _let_in(listener(9000, tls=tls("STRICT", validation=validated()))) == [WEB, STRANGER, BY_DNS]


def test_whom_permissive_names_keep_out_comes_without_tls() -> None:
    assert _let_in(listener(9000, tls=tls("PERMISSIVE", validation=validated(WEB)))) == [None, WEB]


def test_a_port_that_nobody_listens_on_is_closed() -> None:
    assert _let_in(listener(9000, tls=tls("STRICT", validation=validated(WEB))), port=9001) == []


def test_each_listener_has_its_own_names() -> None:
    listeners = (
        listener(9000, tls=tls("STRICT", validation=validated(WEB))),
        listener(9001, "tcp", tls=tls("STRICT", validation=validated(STRANGER))),
    )
    assert _let_in(*listeners) == [WEB]
    assert _let_in(*listeners, port=9001, protocol="tcp") == [STRANGER]


def test_an_identity_of_another_domain_is_taken_where_it_is_named() -> None:
    made = node("pay", listener(9000, tls=tls("STRICT", validation=validated(FOREIGN, WEB))))
    assert _is_let_in(made, FOREIGN)
    assert not _is_let_in(made, "spiffe://third.example/ns/shop/sa/web")


def test_a_name_that_only_the_stack_knows_may_be_anybody() -> None:
    made = node("pay", listener(9000, tls=tls("STRICT", validation=validated("${Name}"))))
    with pytest.raises(NotModelled):
        _is_let_in(made, STRANGER)


def test_a_node_is_known_by_the_certificate_that_it_shows() -> None:
    mesh = mesh_of(
        node("web", shows=WEB),
        node("pay", listener(9000, tls=tls("STRICT", PAY))),
        node("dark", listener(9000)),
    )
    assert {str(one.name): (one.identity.uri, one.is_account_known) for one in mesh.services} == {
        "shop/web": (WEB, True),
        "shop/pay": (PAY, True),
        "shop/dark": (f"{DOMAIN}/node/dark", False),
    }


def test_what_no_resource_shows_is_taken_for_granted_aloud() -> None:
    """It is App Mesh's own: its proxies have other ports than Istio's, and skip whatever has no listener."""
    mesh = mesh_of(node("pay", listener(9000)))
    texts = [one.text for one in premises_of(Analysis(mesh, DAY), ())]
    assert texts[1:] == [
        "every node has its proxy, and nobody else comes to the proxy's own ports 9901, 15000 and 15001",
        "nobody comes to a port without a listener: no proxy judges there",
    ]
    assert 15001 in mesh.proxy_ports
    assert 15020 not in mesh.proxy_ports
