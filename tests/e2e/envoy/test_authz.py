"""The authorizer beside the real Envoy, over mTLS: settings and Envoy are those of docs/operations/authz.md."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path
from typing import IO, Any

import pytest
import yaml
from tests.e2e.envoy.certificates import Authority, client_context
from tests.e2e.envoy.client import Reply, Way, ask, message
from tests.e2e.envoy.ground import Ground, Use
from tests.e2e.envoy.listeners import answering
from tests.e2e.envoy.process import PATIENCE, running
from tests.e2e.envoy.rbac import TYPE
from tests.e2e.envoy.tokens import LONG_AGO, NEVER
from tests.strategies.minting import jwk, jwks, signed

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import decide

pytestmark = pytest.mark.e2e
PAGE = (Path(__file__).parents[3] / "docs/operations/authz.md").read_text(encoding="utf-8")
DAY = date(2026, 11, 23)  # nothing in the policy ends
ACCOUNT = "spiffe://cluster.local/ns/shop/sa/"


def _fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _fence(language: str) -> str:
    return _fences(language)[0]


def _mesh(text: str) -> Mesh:
    return policy_of_texts({"shop.mesh": text}).meshes[0]


POLICY = _fence("mesh")
KEYS = jwks(jwk("RS256"))
MESH = _mesh(POLICY)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is on the air."""

    folder: Path
    authority: Authority
    place: tuple[str, int]
    authorizer: subprocess.Popen[str]
    said: IO[str]
    protocol: str

    def ask(self, account: str, request: bytes) -> Reply:
        """What a caller is answered by the Envoy."""
        tls = client_context(self.authority.of(ACCOUNT + account), ("http/1.1",))
        return ask(Way(self.place, tls=tls), request)

    def event(self) -> dict[str, str]:
        """The next line of the authorizer that is about itself."""
        for line in self.said:
            found: dict[str, str] = json.loads(line)
            if found["event"] != "refused":
                return found
        raise AssertionError("it has ended")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def _scene(
    folder: Path,
    authority: Authority,
    ground: Ground,
    protocol: str,
    policy: str = POLICY,
    more: str = "",
) -> Iterator[Scene]:
    front, back = ground.host(Use.AUTHORIZERS, 150), ground.host(Use.AUTHORIZERS, 151)
    files = {"/run/spiffe/bundle.pem": authority.root}
    for account in ("catalog", "authorizer"):
        pair = authority.of(ACCOUNT + account)
        files |= {f"/run/spiffe/{account}.pem": pair.certificate, f"/run/spiffe/{account}.key": pair.key}

    def placed(text: str, port: int) -> str:
        for path, file in files.items():
            text = text.replace(path, str(file))
        return text.replace("9191", str(port)).replace("9192", "0").replace("127.0.0.2", front)

    asked = _free_port()
    (folder / "policy.json").write_bytes(dump(Bundle("digest", "known", enforced(_mesh(policy)))))
    settings = placed(_fence("toml"), asked) + more
    if protocol != "http":
        settings = settings.replace("[listen", "[grpc")
    if protocol == "payload":
        assert "# verified_payload" in settings
        settings = settings.replace("# verified_payload", "verified_payload")
    (folder / "authz.toml").write_text(settings, encoding="utf-8")
    workload = "address: 127.0.0.1, port_value: 8080"
    assert workload in _fence("yaml")
    bootstrap = yaml.safe_load(placed(_fence("yaml"), asked).replace(workload, f"address: {back}, port_value: 8080"))
    if protocol != "http":
        _ask_over_grpc(bootstrap["static_resources"], placed)
    if protocol == "payload":
        _verify_tokens(bootstrap["static_resources"])
    _manager(bootstrap["static_resources"])["access_log"] = [_to_file(folder / "access.log")]
    bootstrap["static_resources"]["listeners"].append(_workload(back))
    program = Path(sys.executable).with_name("meshproof-proxy")
    command = [str(program), "authz", "--config", str(folder / "authz.toml")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as authorizer:
        try:
            assert authorizer.stderr is not None
            scene = Scene(folder, authority, (front, 8443), authorizer, authorizer.stderr, protocol)
            assert scene.event()["event"] == "started"
            with running(bootstrap, folder):
                # It listens when its authorizer has told that it is well: a little after it has started.
                assert any(scene.ask("front", message("GET", "/", "catalog")).status for _ in range(5000))
                yield scene
        finally:
            authorizer.kill()
            authorizer.wait(PATIENCE)


def _manager(resources: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def _to_file(path: Path) -> dict[str, object]:
    """What an Envoy tells of audited rules, over HTTP or over gRPC."""
    kept = "%DYNAMIC_METADATA(envoy.filters.http.ext_authz:"
    told = {"inline_string": f"%REQ(:PATH)% {kept}x-meshproof-audited)% {kept}audited)%\n"}
    of_file = f"{TYPE}envoy.extensions.access_loggers.file.v3.FileAccessLog"
    settings = {"@type": of_file, "path": str(path), "log_format": {"text_format_source": told}}
    return {"name": "envoy.access_loggers.file", "typed_config": settings}


def _ask_over_grpc(resources: dict[str, Any], placed: Callable[[str, int], str]) -> None:
    """What the page says of gRPC, in place of what it says of HTTP."""
    filter_, host, cluster = (yaml.safe_load(placed(text, 0)) for text in _fences("yaml")[1:])
    manager = _manager(resources)
    assert manager["http_filters"][0]["name"] == filter_["name"]
    manager["http_filters"][0] = filter_
    manager["route_config"]["virtual_hosts"][0].update(host)
    (authorizer,) = (one for one in resources["clusters"] if one["name"] == "authorizer")
    authorizer.update(cluster)


def _verify_tokens(resources: dict[str, Any]) -> None:
    """Envoy verifies tokens itself, and tells the authorizer what they claim."""
    manager = _manager(resources)
    manager["http_filters"][0]["typed_config"]["metadata_context_namespaces"] = ["envoy.filters.http.jwt_authn"]
    provider = {
        "issuer": "https://login.example",
        "audiences": ["shop"],
        "local_jwks": {"inline_string": KEYS.decode("ascii")},
        "payload_in_metadata": "payload",
    }
    requirement = {"requires_any": {"requirements": [{"provider_name": "login"}, {"allow_missing": {}}]}}
    manager["http_filters"].insert(
        0,
        {
            "name": "envoy.filters.http.jwt_authn",
            "typed_config": {
                "@type": f"{TYPE}envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                "providers": {"login": provider},
                "rules": [{"match": {"prefix": "/"}, "requires": requirement}],
            },
        },
    )


def _workload(host: str) -> dict[str, object]:
    manager = {
        "@type": f"{TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "workload",
        "route_config": answering(),
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{TYPE}envoy.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    return {
        "name": "workload",
        "address": {"socket_address": {"address": host, "port_value": 8080}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


@pytest.fixture(params=["http", "grpc"])
def scene(tmp_path: Path, authority: Authority, ground: Ground, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with _scene(tmp_path, authority, ground, request.param) as found:
        yield found


ROLES: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("x-role", "editor"),),
    (("x-role", "tester"),),
    (("x-role", "editor"), ("x-role", "tester")),
    (("x-role", "editor,tester"),),
    (("x-role", ""),),
    (("x-forwarded-client-cert", f"URI={ACCOUNT}front"), ("x-other", "a"), ("x-other", "b")),
)
PATHS = (
    "/items/7", "/items/debug/7", "/items/x/../debug", "//items//7", "/items/%37?a=/items/debug", "/items", "/",
    "/catalog/items/7", "/items/%2e%2e/items/7", "/items/a%2fb", "/items/a;b", "/../items/7",
)  # fmt: skip


def test_envoy_lets_through_what_the_policy_allows_and_nothing_else(scene: Scene) -> None:
    counts = {200: 0, 403: 0}
    for account, method, path, headers in product(("front", "back"), ("GET", "HEAD", "POST", "PUT"), PATHS, ROLES):
        reply = scene.ask(account, message(method, path, "catalog", headers))
        kept = tuple(one for one in headers if one[0] != "x-forwarded-client-cert")
        says = decide(
            MESH,
            Request(
                Peer(ACCOUNT + account, "127.0.0.1"),
                NodeName("catalog"),
                8080,
                RequestProtocol.HTTP,
                method=method,
                host="catalog",
                path=path,
                headers=kept,
            ),
            DAY,
        )
        is_joined = scene.protocol == "http" and (
            len([one for one in kept if one[0] == "x-role"]) > 1 or any("," in value for _, value in kept)
        )
        expected = says.is_allowed and not is_joined
        assert (reply.status == 200) is expected, (account, method, path, headers, reply, says)
        counts[reply.status] = counts.get(reply.status, 0) + 1
        assert reply.header("x-meshproof-rules") is None
    assert counts[200] > 30
    assert counts[403] > 300


def test_each_decision_is_in_a_log_that_is_whole(scene: Scene) -> None:
    paths = ("/items/7", "/items/old/7?a=secret", "/items/debug/7", "/items%2f7")
    statuses = [scene.ask("front", message("GET", path, "catalog")).status for path in paths]
    scene.authorizer.send_signal(signal.SIGTERM)
    assert scene.authorizer.wait(PATIENCE) == 0
    log = scene.folder / "decisions.jsonl"
    lines = [json.loads(line) for line in log.read_text(encoding="ascii").splitlines()]
    *_, first, second, third, closed = lines
    assert statuses == [200, 200, 403, 400]  # the last one is refused by Envoy itself, which does not ask
    assert [
        (one["path"], one["status"], one["decision"], one["rule"], one.get("audited")) for one in (first, second, third)
    ] == [
        ("/items/7", 200, "allow", "browse", None),
        ("/items/old/7", 200, "allow", "browse", ["no-old"]),
        ("/items/debug/7", 403, "deny", "no-debug", None),
    ]
    assert {(one["source"], one["source_ip"], one["destination"]) for one in (first, second, third)} == {
        (f"{ACCOUNT}front", None, "catalog")
    }
    assert closed["event"] == "closed"
    if scene.protocol == "grpc":  # over HTTP this Envoy forwards no id
        assert all(one["id"] for one in (first, second, third))
    verify_log = [str(Path(sys.executable).with_name("meshproof-proxy")), "verify-log", str(log), "--closed"]
    assert subprocess.run(verify_log, check=False).returncode == 0
    log.write_bytes(log.read_bytes().replace(b'"deny"', b'"allow"'))
    assert subprocess.run(verify_log, check=False).returncode == 1


@pytest.mark.parametrize(("protocol", "told"), [("http", "no-old -"), ("grpc", "- no-old")])
def test_envoys_access_log_can_tell_audited_rules(
    tmp_path: Path, authority: Authority, ground: Ground, protocol: str, told: str
) -> None:
    with _scene(tmp_path, authority, ground, protocol) as scene:
        for path in ("/items/7", "/items/old/7"):
            assert scene.ask("front", message("GET", path, "catalog")).status == 200
    lines = (tmp_path / "access.log").read_text(encoding="ascii").splitlines()
    assert lines[-2:] == ["/items/7 - -", f"/items/old/7 {told}"]


def test_without_the_authorizer_nothing_passes(scene: Scene) -> None:
    request = message("GET", "/items/7", "catalog")
    assert scene.ask("front", request).status == 200
    scene.authorizer.kill()
    scene.authorizer.wait(PATIENCE)
    assert [scene.ask("front", request).status for _ in range(3)] == [403, 403, 403]


def test_another_policy_is_taken_under_way_and_a_broken_one_is_not(scene: Scene) -> None:
    request = message("PUT", "/items/7", "catalog")
    assert scene.ask("front", request).status == 403
    other = enforced(_mesh(POLICY.replace("GET|HEAD", "PUT")))
    for data, event, status in (
        (dump(Bundle("second", "known", other)), "reloaded", 200),
        (b"{}", "reload-refused", 200),
        (dump(Bundle("third", "known", enforced(MESH))), "reloaded", 403),
    ):
        (scene.folder / "policy.json").write_bytes(data)
        scene.authorizer.send_signal(signal.SIGHUP)
        assert scene.event()["event"] == event
        assert scene.ask("front", request).status == status
    scene.authorizer.send_signal(signal.SIGTERM)
    assert [scene.event()["event"] for _ in range(2)] == ["draining", "stopped"]
    assert scene.authorizer.wait(PATIENCE) == 0
    assert scene.ask("front", request).status == 403


@pytest.mark.parametrize("account", [None, "front", "authorizer"])
@pytest.mark.parametrize("scene", ["http"], indirect=True)
def test_nobody_but_the_envoy_may_ask(scene: Scene, account: str | None) -> None:
    place = re.search(r"^port = (\d+)$", (scene.folder / "authz.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert place is not None
    pair = None if account is None else scene.authority.of(ACCOUNT + account)
    asked = message("GET", "/catalog/items/7", "a", (("x-forwarded-client-cert", f"URI={ACCOUNT}front"),))
    envoy = client_context(scene.authority.of(f"{ACCOUNT}catalog"), ("http/1.1",))
    assert ask(Way(("127.0.0.1", int(place[1])), tls=envoy), asked).status == 200
    stranger = client_context(pair, ("http/1.1",))
    assert ask(Way(("127.0.0.1", int(place[1])), tls=stranger), asked).status in {0, 403}


TOKENS = POLICY.replace("service catalog {", "service catalog { accepts login ").replace(
    "{ GET|HEAD /items/** }", '{ GET|HEAD /items/** when token.subject == "ann" }'
)
ISSUER = 'issuer login { url "https://login.example"  jwks "https://login.example/keys"  audiences "shop" }\n'
CLAIMS = {"iss": "https://login.example", "aud": "shop", "sub": "ann", "exp": NEVER}


@pytest.mark.parametrize("protocol", ["http", "grpc", "payload"])
def test_tokens_that_envoy_forwards_are_verified(
    tmp_path: Path, authority: Authority, ground: Ground, protocol: str
) -> None:
    (tmp_path / "keys.json").write_bytes(KEYS)
    more = "" if protocol == "payload" else '[[tokens]]\nissuer = "login"\njwks_file = "keys.json"\n'
    with _scene(tmp_path, authority, ground, protocol, TOKENS + ISSUER, more) as scene:
        for token, status in (
            (signed(CLAIMS), 200),
            (signed({**CLAIMS, "sub": "bob"}), 403),
            (signed({**CLAIMS, "exp": LONG_AGO}), 401),
            (signed(CLAIMS, "RS256", 1, kid="RS256-0"), 401),
            (b"x", 401),
            (None, 403),
        ):
            said = () if token is None else (("authorization", f"Bearer {token.decode()}"),)
            assert scene.ask("front", message("GET", "/items/7", "catalog", said)).status == status, token
