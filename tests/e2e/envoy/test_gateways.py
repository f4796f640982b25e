"""The edge: gateways with and without TLS, what they send on, and externals that are called through one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.e2e.envoy.chain import add_chain
from tests.e2e.envoy.client import Way, ask, echoes, message
from tests.e2e.envoy.listeners import HTTP_ALPN, TCP_ALPN
from tests.e2e.envoy.meshes import Fleet
from tests.e2e.envoy.process import running
from tests.e2e.envoy.stage import DAY, PING, Stage, http_request, options
from tests.e2e.envoy.traffic import Sender
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import ClaimObject, Peer, Request, RequestProtocol, Token
from meshproof.compiler.semantics import decide, forwarded
from meshproof.targets.istio import TARGET

pytestmark = pytest.mark.e2e

EDGE = """mesh m { language 1  trust-domain "td"  namespace app  egress closed }
gateway edge {
    hosts "shop.example.com"
    port http 80 -> 8080
    port https 443 -> 8443
    port sealed tls 444 -> 8444 passthrough
    certificate "c" %s
}
"""


@pytest.mark.parametrize("more", ["", 'client-ca "ca"'])
def test_who_comes_to_a_gateway(more: str, stage: Stage, tmp_path: Path) -> None:
    rules = (
        "allow r: internet -> edge",
        'allow r: plaintext -> edge:http { GET /x/** because "x" }'.replace(" because", "\nbecause"),
        'allow r: internet -> edge { when source.ip in "127.1.0.0/16" }',
        "allow r: internet -> edge\ndeny d: internet -> edge { * /admin/** }",
        'allow r: internet -> edge\ndeny d: internet -> edge { when not source.ip in "127.1.0.0/16" }',
        "allow r: authenticated -> edge",
        "allow r: internet -> edge\ndeny d: authenticated -> edge",
        "",
    )
    plays = [stage.put_on(EDGE % more + rule, has_mesh=True) for rule in rules]
    with stage.open(tmp_path):
        for play in plays:
            for ip in ("127.0.0.1", "127.1.2.3"):
                for path in ("/x", "/x/y", "/admin", "/x/../admin/y", "//", "/admin%2Fx"):
                    for port, sni in ((8080, None), (8443, "shop.example.com"), (8443, "other.example.com")):
                        request = http_request("edge", port, path, ip=ip, host="shop.example.com", sni=sni)
                        meant = request if sni != "other.example.com" else None
                        if meant is not None:
                            stage.send(play, request)
                sealed = Request(Peer(None, ip), NodeName("edge"), 8444, RequestProtocol.TCP, sni="shop.example.com")
                stage.send(play, sealed)
    assert min(stage.counts["rule True"], stage.counts["default False"]) > 20


CHAIN = """mesh m { language 1  trust-domain "td"  namespace app  egress closed }
issuer idp { url "https://idp.example"  jwks "https://idp.example/keys" }
gateway edge {
    namespace ingress
    hosts "shop.example.com"
    port http 80 -> 8080
    port https 443 -> 8443
    certificate "c"
    accepts idp
}
service web { port http 80 -> 8080  accepts idp }
service api { port http 80 -> 8080 }
service raw { port http 80 -> 8080 }
mtls disabled for raw { because "x" until 2027-01-31 }
allow pub: internet -> edge { GET|POST /** unless path in /internal/** }
allow w: edge -> web {
    GET /**
    when client.ip in "127.1.0.0/16" or token.subject == "alice"
}
allow v: edge -> api {
    * /v1/**
    when header["x-tenant"] == "shop" and client.ip != "127.3.0.1"
}
deny d: anyone -> api { * /v1/admin/** }
allow p: plaintext -> raw {
    GET /raw/**
    because "x" until 2027-01-31
}
route edge {
    /api/** => api:http { rewrite path /v1/** set header "x-tenant" "shop" }
    /raw/** => raw:http
    POST /** => { redirect 302 path /x }
    otherwise => web:http
}
"""
CHAIN_PATHS = (
    *(
        "/",
        "//",
        "/x",
        "/api",
        "/api/",
        "/api/x",
        "/api/admin",
        "/api/admin/x",
        "/api//admin",
        "/apiadmin",
        "/internal/x",
    ),
    *(
        "/api/../internal",
        "/api/%2e%2e/internal/x",
        "/api/x/%2e%2e/admin",
        "/api%2Fadmin",
        "/api/%61dmin",
        "/api\\admin",
    ),
    *(
        "/api/..;/internal",
        "/api/admin;x",
        "/API/admin",
        "/raw",
        "/raw/x",
        "/raw/../x",
        "/x/../raw/y",
        "/api/x?/../admin",
    ),
)


def test_a_gateway_sends_on_what_two_proxies_let_through(fleet: Fleet, sender: Sender, tmp_path: Path) -> None:
    mesh = mesh_of(CHAIN, has_mesh=True)
    lowered = TARGET.lower(mesh, options())
    assert not [one.message for one in lowered.diagnostics if one.severity == "error"]
    places = add_chain(fleet, mesh, lowered)
    alice = Token(is_valid=True, claims=ClaimObject((("iss", "https://idp.example"), ("sub", "alice"))))
    counts: Counter[int] = Counter()
    wrong: list[str] = []
    with running(fleet.bootstrap(), tmp_path):
        for path in CHAIN_PATHS:
            for ip in ("127.0.0.1", "127.1.0.9", "127.3.0.1"):
                for method in ("GET", "POST"):
                    for token, spoofed in (
                        (None, ()),
                        (alice, (("x-tenant", "evil"), ("x-forwarded-for", "127.1.0.9"))),
                    ):
                        request = http_request("edge", 8080, path, ip=ip, host="shop.example.com", token=token)
                        request = replace(request, method=method, headers=spoofed)
                        lines = sender.message(mesh, replace(request, headers=())).split(b"\r\n")
                        lines[2:2] = [f"{name}: {value}".encode() for name, value in spoofed]
                        reply = ask(Way(places["edge", 8080], ip), b"\r\n".join(lines))
                        counts[reply.status] += 1
                        says = _arrives(mesh, request)
                        if (reply.status == 200) != says:
                            wrong.append(
                                f"{says}: {method} {path} from {ip} with {token}: {reply.status} {reply.headers}"
                            )
    assert not wrong, "\n".join(wrong[:10])
    assert min(counts[200], counts[403], counts[302]) > 20


def _arrives(mesh: Mesh, request: Request) -> bool:
    """Whether the request, and what the gateway makes of it, are both let in: as written, or as Envoy reads it."""
    path = (request.path or "").replace("/..;/", "/../")
    request = replace(request, path=path)
    if not decide(mesh, request, DAY).is_allowed:
        decoded = path.replace("%2F", "/").replace("\\", "/")
        return decoded != path and _arrives(mesh, replace(request, path=decoded))
    onward = forwarded(mesh, request, DAY)
    return bool(onward) and all(decide(mesh, one, DAY).is_allowed for one in onward)


RELAY = """mesh m { language 1  trust-domain "td"  namespace app  egress closed }
service a {}
service b {}
gateway egress { namespace out  port tls 443 -> 8443 }
external api { hosts "api.example"  port https 443 originate  via egress }
external other { hosts "other.example"  port https 443 originate  via egress }
external sealed { hosts "sealed.example"  port https 443  via egress }
allow r: a -> api { GET /x/** }
allow s: { a, b } -> other
deny d: b -> other { * /admin/** }
allow t: b -> sealed
"""


@pytest.mark.parametrize(
    "own",
    [
        "",
        'allow own: anyone -> egress { because "nothing of it is about what goes through" }',
        "allow own: authenticated -> egress",
        "deny own: anyone -> egress",
    ],
)
def test_externals_behind_a_gateway(own: str, fleet: Fleet, sender: Sender, tmp_path: Path) -> None:
    mesh = mesh_of(RELAY + own, has_mesh=True)
    lowered = TARGET.lower(mesh, options())
    assert not [one.message for one in lowered.diagnostics if one.severity == "error"]
    number = fleet.add(mesh, lowered)
    allowed = 0
    with running(fleet.bootstrap(), tmp_path):
        place = fleet.places[number, "egress", 8443]
        for account in ("a", "b", "c"):
            identity = f"spiffe://td/ns/app/sa/{account}"
            tls = sender.tls(identity, HTTP_ALPN[1:2])
            for external in ("api", "other"):
                host = f"{external}.example"
                for method, path in (
                    ("GET", "/x"),
                    ("GET", "/x/../y"),
                    ("POST", "/x"),
                    ("GET", "/admin"),
                    ("GET", "//admin"),
                ):
                    peer = Peer(identity, "127.0.0.1")
                    request = Request(peer, NodeName(external), 443, RequestProtocol.HTTP, method=method)
                    says = decide(mesh, replace(request, path=path, host=host), DAY).is_allowed
                    reply = ask(Way(place, tls=tls, server_name=host), message(method, path, host))
                    assert (reply.status == 200) == says, (account, external, method, path, reply)
                    allowed += says
            crossed = ask(Way(place, tls=tls, server_name="other.example"), message("GET", "/x", "api.example"))
            assert crossed.status != 200
            connection = Request(Peer(identity, "127.0.0.1"), NodeName("sealed"), 443, RequestProtocol.TCP)
            way = Way(place, tls=sender.tls(identity, TCP_ALPN), server_name="sealed.example")
            assert echoes(way, PING) == decide(mesh, replace(connection, sni="sealed.example"), DAY).is_allowed
        assert (
            ask(
                Way(place, tls=sender.tls(None, ()), server_name="api.example"), message("GET", "/x", "api.example")
            ).status
            == 0
        )
        assert ask(Way(place), message("GET", "/x", "api.example")).status == 0
    assert allowed > 5
