"""What is handed over, with the real Envoy in front and the real sidecar behind: every answer is the policy's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest
from tests.e2e.envoy.app_mesh_behind import Numbers, applications, free_numbers, node_before, proxy_of, sidecar
from tests.e2e.envoy.app_mesh_config import Address
from tests.e2e.envoy.app_mesh_emitted import DAY, TARGET, options
from tests.e2e.envoy.certificates import Authority, client_context
from tests.e2e.envoy.client import Way, ask, message
from tests.e2e.envoy.client_http2 import ask_http2
from tests.e2e.envoy.ground import Ground, Use
from tests.e2e.envoy.process import running
from tests.e2e.envoy.tokens import Json, Mint
from tests.e2e.sidecar.hall import open_hall
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.driver.reading_back import UNPROVED, emitted
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import ClaimObject, Peer, Request, RequestProtocol, Token
from meshproof.compiler.semantics import decide

pytestmark = pytest.mark.e2e

NUMBER = 900
URL = "https://login.example"
SHOP = """mesh shop {{ language 1  trust-domain "td"  namespace app  egress closed }}
issuer login {{ url "https://login.example"  jwks "https://login.example/keys"  audiences "pay" }}
service web {{}}
service mobile {{}}
service batch {{}}
service pay {{ port http {0}  port feed grpc {1}  accepts login }}
allow charge: web -> pay:http {{ POST /charge/** when claim["role"] == "buyer" }}
allow look:   {{ web, mobile }} -> pay:http {{ GET|HEAD /charge/{{id}} }}
allow gone:   mobile -> pay:http {{ DELETE /charge/{{id}} when token.subject == "ann" }}
deny never:   anyone -> pay:http {{ * /charge/none when has token }}
allow feed:   web -> pay:feed {{ call shop.Feed/Get when has token }}
allow rest:   mobile -> pay:feed
"""
CALLERS = ("web", "mobile", "batch")
METHODS = ("GET", "HEAD", "POST", "DELETE")
PATHS = (
    "/charge/1",
    "/charge/none",
    "/charge/1/x",
    "/charge",
    "//charge/./1",
    "/charge/x/../none",
    "/charge%2F1",
    "/x",
)
TOKENS: tuple[dict[str, Json] | None, ...] = (
    None,
    {"iss": URL, "aud": "pay", "sub": "ann", "role": "buyer"},
    {"iss": URL, "aud": "pay", "sub": "bob", "role": "seller"},
    {"iss": URL, "aud": "mail", "sub": "ann", "role": "buyer"},
)


@dataclass(frozen=True, slots=True)
class Air:
    """The mesh on the air: where each caller's application finds `pay`, and where the node of `pay` is."""

    mesh: Mesh
    numbers: Numbers
    fronts: dict[str, str]
    node: str
    log: Path

    def front(self, caller: str, port: int) -> Address:
        """Where the application of a caller dials."""
        return self.fronts[caller], port


@pytest.fixture(scope="module")
def air(ground: Ground, authority: Authority, mint: Mint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Air]:
    """All of it runs, by the files of one compile."""
    folder = tmp_path_factory.mktemp("behind")
    with free_numbers(2) as numbers, open_hall() as hall:
        mesh = mesh_of(SHOP.format(*numbers.ports), has_mesh=True)
        settings = {"app-mesh.residue": "native", "app-mesh.native.application-offset": str(numbers.offset)}
        wanted = options(settings)
        lowered = TARGET.lower(mesh, wanted)
        found = emitted(TARGET, lowered, mesh, wanted, 120_000)
        assert not found.diagnostics, [one.message for one in found.diagnostics]
        assert found.known != UNPROVED
        documents = [json.loads(one.content) for one in found.artifacts if one.path.startswith("calls/")]
        nodes = {one["virtualNodeName"]: one for one in documents if "virtualNodeName" in one}
        node = ground.host(Use.APP_MESH, NUMBER, 1)
        fronts = {name: ground.host(Use.APP_MESH, NUMBER, index) for index, name in enumerate(CALLERS, 2)}
        made = list(node_before(nodes["pay_app"], node))
        assert len(made) == len(numbers.ports)
        made += [
            proxy_of(nodes[f"{name}_app"], "pay.app.svc.cluster.local", (host, port), (node, port), authority)
            for name, host in fronts.items()
            if name != "batch"
            for port in numbers.ports
        ]
        bootstrap = {"listeners": [one for one, _ in made], "clusters": [one for _, one in made]}
        with (
            applications(hall, tuple(port + numbers.offset for port in numbers.ports)),
            sidecar(found.artifacts, "native/pay_app.toml", mesh, (folder, authority, mint)) as log,
            running({"static_resources": bootstrap}, folder),
        ):
            yield Air(mesh, numbers, fronts, node, log)


def _request(air: Air, caller: str | None, method: str, path: str, claims: dict[str, Json] | None) -> Request:
    identity = None if caller is None else f"spiffe://td/ns/app/sa/{caller}"
    token = None
    if claims is not None:
        members = tuple(sorted((name, value) for name, value in claims.items() if isinstance(value, str)))
        token = Token(claims["aud"] == "pay", ClaimObject(members))
    port = air.numbers.ports[0]
    return Request(
        Peer(identity), NodeName("pay"), port, RequestProtocol.HTTP, method=method, host="pay", path=path, token=token
    )


def test_requests_by_the_proxies_of_callers_are_answered_as_the_policy_says(air: Air, mint: Mint) -> None:
    """Envoy to Envoy to the sidecar: identities, methods, paths in all spellings, tokens."""
    port, asked, let_in = air.numbers.ports[0], 0, 0
    for caller, method, path, claims in product(("web", "mobile"), METHODS, PATHS, TOKENS):
        wanted = decide(air.mesh, _request(air, caller, method, path, claims), DAY).is_allowed
        lines = () if claims is None else (("authorization", f"Bearer {mint.valid(claims)}"),)
        reply = ask(Way(air.front(caller, port)), message(method, path, "pay", lines))
        assert (reply.status == 200) is wanted, (caller, method, path, claims, reply)
        assert reply.status in {200, 401, 403, 400}
        asked, let_in = asked + 1, let_in + wanted
    assert asked >= 250
    assert 20 < let_in < asked - 20


def _direct(air: Air, authority: Authority, name: str | None, protocols: tuple[str, ...] = ()) -> Way:
    """Straight to the node of `pay`, as somebody with the certificate of a name, or with none."""
    pair = None if name is None else authority.of(name)
    return Way((air.node, air.numbers.ports[0]), tls=client_context(pair, protocols))


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("spiffe://td/ns/app/sa/mobile", 200),
        ("spiffe://td/ns/app/sa/batch", 403),
        ("spiffe://td/ns/app/sa/stranger", 403),
        ("spiffe://other/ns/app/sa/mobile", 0),
        (None, 0),
    ],
)
def test_whoever_steps_round_its_own_proxy_meets_the_same_policy(
    air: Air, authority: Authority, name: str | None, status: int
) -> None:
    """The node's proxy passes it on, and the sidecar ends TLS itself."""
    assert ask(_direct(air, authority, name), message("GET", "/charge/1", "pay")).status == status


def test_nobody_comes_in_without_tls(air: Air) -> None:
    """The proxy takes all bytes, and the sidecar none that are no handshake."""
    assert ask(Way((air.node, air.numbers.ports[0])), message("GET", "/charge/1", "pay")).status == 0


def test_another_authority_vouches_for_nobody(air: Air, tmp_path: Path) -> None:
    """Whatever name it writes."""
    forged = Authority(tmp_path, "forged")
    way = _direct(air, forged, "spiffe://td/ns/app/sa/mobile")
    assert ask(way, message("GET", "/charge/1", "pay")).status == 0


@pytest.mark.parametrize("how", ["wrong key", "expired", "unsigned", "cut", "no token"])
def test_no_token_that_is_not_valid_is_taken(air: Air, mint: Mint, how: str) -> None:
    """Not even where none is asked for."""
    claims: dict[str, Json] = {"iss": URL, "aud": "pay", "sub": "ann", "role": "buyer"}
    lines = (("authorization", f"Bearer {mint.forged(claims, how)}"),)
    way = Way(air.front("web", air.numbers.ports[0]))
    assert ask(way, message("GET", "/charge/1", "pay", lines)).status == 401


def test_grpc_goes_through_as_http2_that_nobody_agreed_on(air: Air, authority: Authority, mint: Mint) -> None:
    """Envoy's TLS of connections names no protocol, so the first bytes tell; and ALPN does where a caller names it."""
    port = air.numbers.ports[1]
    token = (("authorization", f"Bearer {mint.valid({'iss': URL, 'aud': 'pay', 'sub': 'ann'})}"),)
    for caller, path, lines, status in (
        ("web", "/shop.Feed/Get", token, 200),
        ("web", "/shop.Feed/Put", token, 403),
        ("web", "/shop.Feed/Get", (), 403),
        ("mobile", "/shop.Feed/Put", (), 200),
    ):
        grpc = (*lines, ("content-type", "application/grpc"), ("te", "trailers"))
        reply = ask_http2(Way(air.front(caller, port)), "POST", path, "pay", grpc)
        denied = reply.header("grpc-status") == "7"
        assert (reply.status, denied) == (200, status == 403), (caller, path, reply)
        pair = authority.of(f"spiffe://td/ns/app/sa/{caller}")
        for protocols in ((), ("h2",)):
            way = Way((air.node, port), tls=client_context(pair, protocols))
            again = ask_http2(way, "POST", path, "pay", grpc)
            assert (again.status, again.header("grpc-status") == "7") == (200, status == 403), (caller, path, again)


def test_the_sidecar_sees_nobodys_address(air: Air, authority: Authority) -> None:
    """So what is judged by an address is never handed over: it would be that of the node's own proxy (ADR 0339)."""
    way = replace(_direct(air, authority, "spiffe://td/ns/app/sa/mobile"), source="127.0.0.9")
    assert ask(way, message("GET", "/charge/77", "pay")).status == 200
    found: list[str] = []
    while not found:
        told = (json.loads(line) for line in air.log.read_text(encoding="utf-8").splitlines() if line.endswith("}"))
        found = [one["downstream_remote_address"] for one in told if one["path"] == "/charge/77"]
    assert {one.rpartition(":")[0] for one in found} == {"127.0.0.1"}
