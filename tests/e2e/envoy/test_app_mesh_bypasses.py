"""What the residual list of a compile for App Mesh calls a way round is one, on the real Envoy; what it does not name
is none: callers' own proxies know whom they call, and doors take their own class alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.e2e.envoy.app_mesh_config import Doc
from tests.e2e.envoy.app_mesh_emitted import TARGET, Emitted, emitted, options, rendered
from tests.e2e.envoy.app_mesh_proxies import EGRESS, Proxies, bootstrap
from tests.e2e.envoy.app_mesh_shop import SHOP
from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.client import Reply, Way, ask, message
from tests.e2e.envoy.client_http2 import ask_http2
from tests.e2e.envoy.ground import Ground, Use
from tests.e2e.envoy.process import running
from tests.e2e.envoy.traffic import Sender
from tests.e2e.envoy.websockets import UPGRADE, workload
from tests.strategies.policy_text import mesh_of

from meshproof.targets.appmesh.naming import SERVICE_HEADER

pytestmark = pytest.mark.e2e

NUMBER = 190
"""Before the first of `test_app_mesh_emitted`, and behind those of `test_app_mesh`."""

APP = 7777
"""Where workloads listen besides, and no proxy does."""

NODES = ("pay_app_v1", "pay_app_v2")
NAMES = "spiffe://td/ns/app/sa/"
GATE = f"{NAMES}meshproof-gate"
HOST = "pay.app.svc.cluster.local"


@dataclass(frozen=True, slots=True)
class Air:
    """The shop on the air, with two more of it in which somebody stands for another."""

    shop: Emitted
    sender: Sender
    false_pay: Proxies
    false_gate: Proxies

    def place(self, name: str) -> str:
        return self.shop.proxies.places[name]

    def ask(self, name: str, port: int, caller: str | None, request: bytes) -> Reply:
        """A request to a listener, with the certificate of an account, or without TLS."""
        tls = None if caller is None else self.sender.tls(f"{NAMES}{caller}", ())
        return ask(Way((self.place(name), port), tls=tls), request)

    def egress(self, name: str, host: str, path: str, method: str = "GET") -> Reply:
        """A request of a workload to its own proxy, which sends it on to where its routes lead."""
        return ask(Way((self.place(name), EGRESS)), message(method, path, host))

    def door(self, caller: str, service: str) -> int:
        """The port at which a caller comes in for a service."""
        led = {one.address[1]: one.leads for one in self.shop.doors}
        ports = (one["portMapping"]["port"] for one in self.listeners if f"{NAMES}{caller}" in _names(one))
        return next(int(port) for port in ports if any(name.startswith(f"direct.{service}.") for name in led[port]))

    @property
    def listeners(self) -> list[Doc]:
        """Those of the gate."""
        gates = (one for one in self.shop.documents if one.get("virtualGatewayName") == "meshproof-gate")
        found: list[Doc] = next(one["spec"]["listeners"] for one in gates if "gatewayRouteName" not in one)
        return found

    def names(self, code: str) -> tuple[str, ...]:
        """Whom a point of the residual list names."""
        return tuple(name for one in self.shop.lowered.residuals if one.code == code for name in one.names)


def _names(listener: Doc) -> list[str]:
    found: list[str] = listener["tls"]["validation"]["subjectAlternativeNames"]["match"]["exact"]
    return found


def _showing(documents: tuple[Doc, ...], name: str, identity: str) -> tuple[Doc, ...]:
    """The same, but for the certificate that the listeners of a node or gateway show."""
    return tuple(
        {**one, "spec": {**one["spec"], "listeners": [_shown(each, identity) for each in one["spec"]["listeners"]]}}
        if name in {one.get("virtualNodeName"), one.get("virtualGatewayName")} and "gatewayRouteName" not in one
        else one
        for one in documents
    )


def _shown(listener: Doc, identity: str) -> Doc:
    return {**listener, "tls": {**listener["tls"], "certificate": {"sds": {"secretName": identity}}}}


@pytest.fixture(scope="module")
def air(
    ground: Ground, authority: Authority, sender: Sender, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Air]:
    mesh = mesh_of(SHOP, has_mesh=True)
    lowered = TARGET.lower(mesh, options({"app-mesh.network": "none"}))
    app = (ground.host(Use.APP_MESH, NUMBER, 200), APP)
    shop = emitted(mesh, lowered, (ground, NUMBER), authority, app)
    made = shop.documents
    for name in NODES:
        made = _showing(made, name, f"{NAMES}mobile")
    false_pay = rendered(made, lowered.gates, (ground, NUMBER + 1), authority)
    false_gate = rendered(
        _showing(shop.documents, "meshproof-gate", f"{NAMES}pay"), lowered.gates, (ground, NUMBER + 2), authority
    )
    every = (shop.proxies, false_pay, false_gate)
    bare = (shop.proxies.places[NODES[0]], APP)
    with running(bootstrap(every), tmp_path_factory.mktemp("envoy")), workload(app), workload(bare):
        yield Air(shop, sender, false_pay, false_gate)


def test_port_15001_of_a_gateway_passes_by_its_routes(air: Air) -> None:
    assert set(air.names("R1")) == {"edge_app", "meshproof-gate"}
    asked = message("DELETE", "/anything", f"direct.{HOST}:9000")
    assert air.ask("meshproof-gate", air.door("batch", "pay"), None, asked).status == 0
    reply = air.ask("meshproof-gate", EGRESS, None, asked)
    assert (reply.status, reply.header("x-node"), reply.header("x-peer")) == (200, "pay_app_v1", GATE)
    named = next(host for host in _services(air) if host.startswith("edge-") and ".web." in host)
    assert air.ask("edge_app", EGRESS, None, message("DELETE", "/admin", named)).header("x-node") == "web_app"


def _services(air: Air) -> list[str]:
    return [one["virtualServiceName"] for one in air.shop.documents if "virtualServiceName" in one]


def test_routes_and_backends_bind_no_caller_that_passes_by_its_own_proxy(air: Air) -> None:
    assert "batch_app" in air.names("R2")
    assert "ledger_app_svc_cluster_local/port-9000-0" in air.names("R2")
    called = "ledger.app.svc.cluster.local:9000"
    assert air.egress("batch_app", called, "/bank.Ledger/Any", "POST").header("x-node") == "ledger_app_v1"
    tls = air.sender.tls(f"{NAMES}batch", ())
    straight = ask_http2(Way((air.place("ledger_app_v2"), 9000), tls=tls), "POST", "/bank.Ledger/Any", called)
    assert straight.header("x-node") == "ledger_app_v2"


def test_matrix_parameters_come_to_the_workload_as_they_are(air: Air) -> None:
    assert any("meshproof-gate-port" in name for name in air.names("R3"))
    door = air.door("web", "pay")
    reply = air.ask("meshproof-gate", door, "web", message("GET", "/v1/a;b=/..;/x", HOST))
    assert (reply.status, reply.header("x-seen-path")) == (200, "/v1/x")
    assert (
        air.ask("meshproof-gate", door, "web", message("GET", "/v1/a;b=1", HOST)).header("x-seen-path") == "/v1/a;b=1"
    )
    assert air.ask("meshproof-gate", door, "web", message("GET", "/v1/..%2Fadmin", HOST)).status == 404


def test_who_calls_is_not_told_behind_a_gate(air: Air) -> None:
    assert f"direct.{HOST}" in air.names("R4")
    lines = (("x-forwarded-client-cert", f"URI={NAMES}ops"),)
    reply = air.ask("meshproof-gate", air.door("web", "pay"), "web", message("GET", "/v1/1", HOST, lines))
    assert (reply.status, reply.header("x-peer"), reply.header("x-xfcc")) == (200, GATE, None)
    assert air.ask("pay_app_v1", 9100, "ops", message("GET", "/", HOST)).header("x-peer") == f"{NAMES}ops"


def test_a_door_takes_its_own_callers_alone(air: Air) -> None:
    told = set(air.names("R5"))
    callers = ("web", "mobile", "batch", "ops", "pay", "ledger", "db", "edge", "meshproof-gate", "nobody")
    for listener in air.listeners:
        port, names = listener["portMapping"]["port"], _names(listener)
        assert f"meshproof-gate:{port} <- {', '.join(sorted(names))}" in told
        for caller in callers:
            reply = air.ask("meshproof-gate", port, caller, message("GET", "/nothing/there", HOST))
            assert (reply.status != 0) is (f"{NAMES}{caller}" in names), (port, caller)
        assert air.ask("meshproof-gate", port, None, message("GET", "/v1/1", HOST)).status == 0


def test_refusals_are_404_or_the_end_of_a_connection(air: Air) -> None:
    assert air.names("R6") == ("shop",)
    door = air.door("web", "pay")
    assert air.ask("meshproof-gate", door, "web", message("DELETE", "/v1/1", HOST)).status == 404
    assert air.ask("meshproof-gate", door, "web", message("GET", "/v1/secret/1", HOST)).status == 404
    assert air.ask("pay_app_v1", 9000, "web", message("GET", "/v1/1", HOST)).status == 0
    assert air.ask("pay_app_v1", 9000, None, message("GET", "/v1/1", HOST)).status == 0


def test_a_port_without_a_listener_is_no_proxys(air: Air) -> None:
    assert "pay_app_v1" in air.names("R7")
    assert air.ask("pay_app_v1", APP, None, message("DELETE", "/", HOST)).header("x-workload") == "yes"


def test_what_is_upgraded_is_judged_by_nobody(air: Air) -> None:
    door = air.door("web", "pay")
    assert f"meshproof-gate:{door}" in air.names("R8")
    assert _upgraded(air, door, "/v1/live") == b"DELETE /v1/secret/1"
    assert _upgraded(air, door, "/v1/secret/live") is None


def _upgraded(air: Air, door: int, path: str) -> bytes | None:
    """What comes back of what is sent on a connection that was upgraded; None if it was not."""
    way = Way((air.place("meshproof-gate"), door), tls=air.sender.tls(f"{NAMES}web", ()))
    asked = message("GET", path, HOST, UPGRADE).replace(b"connection: close\r\n", b"")
    sent = b"DELETE /v1/secret/1"
    with way.open() as connection:
        connection.sendall(asked)
        received = connection.recv(65536)
        if not received.startswith(b"HTTP/1.1 101"):
            return None
        connection.sendall(sent)
        found = received.partition(b"\r\n\r\n")[2]
        while len(found) < len(sent):
            found += connection.recv(65536)
        return found


def test_a_header_of_the_outside_names_what_a_gateway_calls(air: Air) -> None:
    """Where it is not taken off before, and App Mesh's gateways add to it: nobody says that they do not."""
    assert air.names("R12") == ("edge_app",)
    named = next(host for host in _services(air) if host.startswith("edge-") and ".pay." in host)
    way = Way((air.place("edge_app"), 8443), tls=air.sender.tls(None, ()))
    lines = ((SERVICE_HEADER, named),)
    assert ask(way, message("GET", "/shop/1", "shop.example")).header("x-node") == "web_app"
    assert ask(way, message("GET", "/shop/1", "shop.example", lines)).header("x-node") in NODES
    assert ask(way, message("DELETE", "/shop/1", "shop.example", lines)).status == 404
    assert ask(way, message("GET", "/shop/1", named)).status == 404


def test_callers_own_proxies_come_to_the_workload_by_the_gate(air: Air) -> None:
    port = air.door("web", "pay")
    reply = air.egress("web_app", f"{HOST}:{port}", "/v1/1")
    assert (reply.status, reply.header("x-node"), reply.header("x-peer")) == (200, "pay_app_v1", GATE)
    assert air.egress("web_app", f"{HOST}:{port}", "/charge", "POST").status == 200
    assert air.egress("web_app", f"{HOST}:{port}", "/charge").status == 404
    assert air.egress("web_app", f"{HOST}:{port}", "/v1/secret/1").status == 404
    read = air.egress(
        "web_app", f"ledger.app.svc.cluster.local:{air.door('web', 'ledger')}", "/bank.Ledger/Read", "POST"
    )
    assert (read.status, read.header("x-node")) == (200, "ledger_app_v1")
    straight = air.egress("ops_app", f"{HOST}:9100", "/any", "DELETE")
    assert (straight.status, straight.header("x-peer")) == (200, f"{NAMES}ops")
    assert air.egress("web_app", "legacy.app.svc.cluster.local:7000", "/").header("x-node") == "legacy_app"
    assert air.egress("web_app", "elsewhere.example", "/").status == 404
    assert air.egress("mobile_app", f"{HOST}:{port}", "/v1/1").status in {0, 404, 503}


def test_nobody_is_called_who_is_another(air: Air) -> None:
    """Callers and gates ask for the certificate of the one that they call."""
    asked = message("GET", "/v1/1", f"{HOST}:{air.door('web', 'pay')}")
    proper, no_gate, no_pay = (
        ask(Way((one.places["web_app"], EGRESS)), asked).status
        for one in (air.shop.proxies, air.false_gate, air.false_pay)
    )
    assert (proper, no_gate, no_pay) == (200, 503, 503)
