"""Who comes: identities of our domain, its alias, partners and strangers, callers in the clear, from addresses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.e2e.envoy.certificates import Authority, client_context
from tests.e2e.envoy.client import Way, ask, echoes, message
from tests.e2e.envoy.listeners import HTTP_ALPN, TCP_ALPN
from tests.e2e.envoy.stage import PING, Play, Stage, http_request

from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol

pytestmark = pytest.mark.e2e

MESH = """mesh m { language 1  trust-domain "td"  aliases "old"  trusts "partner.example"  namespace app egress closed }
service a {}
service c { namespace other }
service vm { identity "spiffe://td/vm/x" }
service strict { port http 80 -> 8080  port db tcp 5432 }
service mixed { port http 80 -> 8080  port db tcp 5432 }
service open { port http 80 -> 8080  port db tcp 5432 }
mtls permissive for mixed { because "x" until 2027-01-31 }
mtls disabled for open { because "x" until 2027-01-31 }
"""
WHY = 'because "x" until 2027-01-31'
SETS = (
    "a",
    "vm",
    "namespace app",
    "authenticated",
    "plaintext",
    "anyone",
    "anyone except a",
    "namespace app except a",
    "authenticated except vm",
    'namespace app of "partner.example"',
    'identity "spiffe://td/vm/*"',
    'identity "spiffe://partner.example/ns/app/sa/a"',
    "{ a, plaintext }",
)
IDENTITIES = (
    None,
    "spiffe://td/ns/app/sa/a",
    "spiffe://old/ns/app/sa/a",
    "spiffe://td/ns/app/sa/ab",
    "spiffe://td/ns/application/sa/a",
    "spiffe://td/ns/other/sa/c",
    "spiffe://td/vm/x",
    "spiffe://old/vm/x",
    "spiffe://td/vm/xy",
    "spiffe://partner.example/ns/app/sa/a",
    "spiffe://partner.example/ns/other/sa/a",
    "spiffe://stranger.example/ns/app/sa/a",
    "spiffe://tdx/ns/app/sa/a",
)


def test_every_set_takes_its_callers(stage: Stage, tmp_path: Path) -> None:
    plays = []
    for one in SETS:
        plays.append(stage.put_on(f"{MESH}allow r: {one} -> {{ strict, mixed, open }} {{ {WHY} }}", has_mesh=True))
        whole = f"allow w: anyone -> {{ strict, mixed, open }} {{ {WHY} }}\n"
        plays.append(stage.put_on(f"{MESH}{whole}deny r: {one} -> {{ strict, mixed, open }}", has_mesh=True))
    with stage.open(tmp_path):
        for play in plays:
            for identity in IDENTITIES:
                for node in ("strict", "mixed", "open"):
                    if node != "open" or identity is None:
                        stage.send(play, http_request(node, 8080, "/x", identity=identity))
                        stage.send(play, connection(node, identity))
    assert stage.counts["sent"] > 1200
    assert min(stage.counts["rule True"], stage.counts["rule False"], stage.counts["transport False"]) > 100


def connection(node: str, identity: str | None) -> Request:
    return Request(Peer(identity, "127.0.0.1"), NodeName(node), 5432, RequestProtocol.TCP)


@pytest.fixture
def all_open(stage: Stage) -> Play:
    """Everyone may come, as far as mTLS lets them."""
    text = f"{MESH}allow w: anyone -> {{ strict, mixed, open }} {{ {WHY} }}"
    return stage.put_on(text, has_mesh=True)


def test_who_has_no_certificate_of_the_mesh_has_no_identity(
    stage: Stage, all_open: Play, authority: Authority, tmp_path: Path
) -> None:
    forger = Authority(tmp_path, "forger")
    tried: dict[tuple[str, str], int] = {}
    with stage.open(tmp_path):
        for node in ("strict", "mixed", "open"):
            http, tcp = (stage.fleet.places[all_open.number, node, port] for port in (8080, 5432))
            request = message("GET", "/x", "h")
            forged = forger.of("spiffe://td/ns/app/sa/a")
            for name, pair in (("forged", forged), ("none", None)):
                tried[node, name] = ask(Way(http, tls=client_context(pair, HTTP_ALPN[1:2])), request).status
                tried[node, f"tcp {name}"] = 200 * echoes(Way(tcp, tls=client_context(pair, TCP_ALPN)), PING)
            own = authority.of("spiffe://td/ns/app/sa/a")
            tried[node, "own"] = ask(Way(http, tls=client_context(own, HTTP_ALPN[1:2])), request).status
            tried[node, "own, no ALPN"] = ask(Way(http, tls=client_context(own, ())), request).status
            tried[node, "own, two"] = ask(
                Way(http, tls=client_context(authority.of("spiffe://x/y", "spiffe://td/ns/app/sa/a"), HTTP_ALPN[1:2])),
                request,
            ).status
    allowed = {key for key, status in tried.items() if status == 200}
    assert allowed == {
        ("strict", "own"),
        ("strict", "own, no ALPN"),
        ("strict", "own, two"),
        ("mixed", "own"),
        ("mixed", "own, two"),
    }


def test_addresses_and_server_names(stage: Stage, tmp_path: Path) -> None:
    conditions = (
        'source.ip in "127.1.0.0/16"',
        'source.ip in "127.1.2.3"',
        'not source.ip in "127.1.0.0/16"',
        'sni == "x.example"',
        'sni endswith ".example"',
        'sni != "x.example"',
        "has sni",
    )
    plays = [
        stage.put_on(f"{MESH}allow r: anyone -> {{ strict, mixed }} {{ when {one}\n{WHY} }}", has_mesh=True)
        for one in conditions
    ]
    with stage.open(tmp_path):
        for play in plays:
            for ip in ("127.0.0.1", "127.1.0.1", "127.1.2.3", "127.2.0.0"):
                for identity in (None, "spiffe://td/ns/app/sa/a"):
                    for sni in (None, "x.example", "y.example", "x") if identity else (None,):
                        for node in ("strict", "mixed"):
                            request = http_request(node, 8080, "/x", identity=identity, ip=ip)
                            stage.send(play, replace(request, sni=sni))
                            stage.send(play, replace(connection(node, identity), source=Peer(identity, ip), sni=sni))
    assert min(stage.counts["rule True"], stage.counts["default False"]) > 100
