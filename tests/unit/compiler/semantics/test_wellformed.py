from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.strategies.building import SHOP, connection, mesh, port, request, service, token
from tests.strategies.predicates import origin
from tests.strategies.vocabulary import DAY

from meshproof.compiler.ir.entities import Layer, Protocol
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy, ServiceScope
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import is_well_formed
from meshproof.compiler.semantics.wellformed import canonical_address, declared_port, layer_of

PORTS = (
    port(),
    port(443, Layer.HTTP, Protocol.HTTPS, "https"),
    port(5432, Layer.TCP, Protocol.TCP, "db"),
    port(9000, Layer.SNIFFED, Protocol.TCP, "any"),
)
MESH = replace(mesh(), services=(service("shop", *PORTS),))
PLAIN = request(identity=None)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (request(), None),
        (connection(), None),
        (connection(9000), None),
        (replace(request(), port=9000), None),
        (replace(request(), port=1), None),
        (connection(1), None),
        (replace(connection(), client_ip="10.0.0.1"), None),
        (request(NodeName("nobody")), "nothing that is declared is named `nobody`"),
        (replace(request(), port=0), "`0` is no port"),
        (replace(request(), port=65536), "`65536` is no port"),
        (replace(request(), port=5432), "port `5432` of `shop` is tcp, the request is http"),
        (connection(8080), "port `8080` of `shop` is http, the request is tcp"),
        (replace(connection(), method="GET"), "a tcp connection has no `method`"),
        (replace(connection(), path="/"), "a tcp connection has no `path`"),
        (replace(connection(), host="x"), "a tcp connection has no `host`"),
        (replace(connection(), headers=(("a", "b"),)), "a tcp connection has no `headers`"),
        (replace(connection(), token=token()), "a tcp connection has no `token`"),
        (request(identity="spiffe://cluster.local"), "`spiffe://cluster.local` is no SPIFFE ID of a workload"),
        (replace(request(), source=Peer(None, "10.0.0.256")), "`10.0.0.256` is no IP address"),
        (replace(request(), destination_ip="x"), "`x` is no IP address"),
        (replace(request(), client_ip="fe80::1%1"), "`fe80::1%1` is no IP address"),
        (replace(request(), sni="x"), None),
        (replace(request(), host=""), "a `host` is not empty"),
        (replace(request(), host="."), "a `host` is not empty"),
        (replace(request(), host=":80"), "a `host` is not empty"),
        (replace(request(), host="..:80"), None),
        (replace(request(), sni="a\nb"), "an `sni` has no line breaks"),
        (replace(request(), sni=""), "an `sni` is a name, or it is not there"),
        (replace(PLAIN, sni="x", port=443), None),
        (replace(PLAIN, sni="x", port=1), None),
        (replace(connection(), source=Peer(None), sni="x"), None),
        (replace(PLAIN, sni="x"), "port `8080` of `shop` has no TLS without an identity, so there is no `sni`"),
    ],
)
def test_well_formed(given: Request, reason: str | None) -> None:
    assert is_well_formed(MESH, given, DAY) == reason


@pytest.mark.parametrize("change", [lambda asked: asked, lambda asked: replace(asked, day=DAY + timedelta(days=1))])
def test_no_identity_where_mtls_is_disabled_on_the_day_of_the_request(change: Callable[[Request], Request]) -> None:
    disabled = MtlsPolicy(ServiceScope(SHOP), MtlsMode.DISABLED, origin(), until=DAY)
    stated = replace(MESH, mtls=(disabled,))
    reason = "mTLS is disabled at port `8080` of `shop`, so no caller has an identity there"
    asked = change(request())
    assert is_well_formed(stated, asked, DAY) == (reason if asked.day is None else None)
    assert is_well_formed(stated, replace(asked, source=Peer(None)), DAY) is None


def test_layers() -> None:
    layers = [layer_of(replace(request(), protocol=protocol)) for protocol in RequestProtocol]
    assert layers == [Layer.HTTP, Layer.HTTP, Layer.TCP]


def test_declared_ports_are_the_workloads() -> None:
    forwarded = replace(port(), number=80, workload=8080)
    assert declared_port(service("shop", forwarded), 8080) == forwarded
    assert declared_port(service("shop", forwarded), 80) is None


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        ("10.0.0.01", None),
        ("10.0.0.0/8", None),
        ("fe80::1%eth0", None),
        ("", None),
    ],
)
def test_canonical_addresses(text: str, canonical: str | None) -> None:
    assert canonical_address(text) == canonical
