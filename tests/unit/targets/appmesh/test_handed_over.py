"""What is handed over is proved with the rest: App Mesh's files and the sidecar's bundle together are the policy."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.features import Capabilities
from meshproof.compiler.backend.target import CompileOptions, Lifted, Pods
from meshproof.compiler.driver import companions
from meshproof.compiler.driver.reading_back import EQUAL, STRICTER, UNPROVED, Emitted, emitted
from meshproof.compiler.ir.bundle import Bundle, dump
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, RuleId
from meshproof.runtime.bundle import load_bundle
from meshproof.runtime.net.material.policy import PolicyMaterial, load_policy
from meshproof.runtime.settings_run import IdentityFiles, InboundPort, Place, WorkloadApi
from meshproof.runtime.settings_run_file import parse_run_settings
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.target import AppMeshTarget
from meshproof.targets.native.lower import NativeLowered
from meshproof.targets.native.target import NativeTarget

DAY = date(2026, 11, 23)
PATIENT_MS = 120_000
NATIVE = {"residue": "native"}
UNTIL = '{ because "moving in" until 2027-01-31 }'
SERVICES = """
issuer login { url "https://login.td"  jwks "https://login.td/keys"  audiences "pay" }
service web { port http 80 -> 8080 }
service pay { port http 9000  port admin http 9001  accepts login }
service db { port tcp 5432 }
"""
RULES = """
allow charge: web -> pay:http { POST /charge/** when claim["role"] == "buyer" }
allow refund: db -> pay:http { POST /charge/{id}/refund when token from login }
deny never: anyone -> pay:http { * /charge/none when has token }
allow query: pay -> db
allow show: db -> web { GET /x }
"""
POLICY = SERVICES + RULES


@dataclass(frozen=True, slots=True)
class Mutating:
    """App Mesh's target, of which somebody changes the files; nobody else knows."""

    change: Callable[[Artifact], Artifact | None]
    own: AppMeshTarget = field(default_factory=AppMeshTarget)
    name: str = "app-mesh"
    title: str = "App Mesh"
    stated_in_files: frozenset[str] = frozenset(("app-mesh.mesh",))

    @property
    def capabilities(self) -> Capabilities:
        return self.own.capabilities

    def lower(self, mesh: Mesh, options: CompileOptions) -> AppMeshLowered:
        return self.own.lower(mesh, options)

    def emit(self, lowered: AppMeshLowered) -> tuple[Artifact, ...]:
        return tuple(one for found in self.own.emit(lowered) if (one := self.change(found)) is not None)

    def lift(
        self,
        files: tuple[Artifact, ...],
        options: CompileOptions,
        known: Mesh | None = None,
        also: tuple[Pods, ...] = (),
    ) -> Lifted:
        return self.own.lift(files, options, known, also)


@dataclass(frozen=True, slots=True)
class MutatingNative(NativeTarget):
    """The companion, whose bundle somebody changes."""

    change: Callable[[Bundle], Bundle] = lambda bundle: bundle

    def emit(self, lowered: NativeLowered) -> tuple[Artifact, ...]:
        return (Artifact("policy.json", dump(self.change(lowered.bundle))),)


def _options(**settings: str) -> CompileOptions:
    given = tuple((f"app-mesh.{key.replace('_', '-')}", value) for key, value in {**NATIVE, **settings}.items())
    return CompileOptions(DAY, given, "hash", require=Judgement.COOPERATIVE)


def _emitted(text: str, change: Callable[[Artifact], Artifact | None] = lambda one: one, **settings: str) -> Emitted:
    mesh, options, target = mesh_of(text), _options(**settings), Mutating(change)
    lowered = target.lower(mesh, options)
    assert not [one.message for one in lowered.diagnostics if one.severity == "error"]
    return emitted(target, lowered, mesh, options, PATIENT_MS)


def _files(found: Emitted) -> dict[str, bytes]:
    return {one.path: one.content for one in found.artifacts}


@pytest.mark.parametrize("rendering", ["cloudformation", "api", "kubernetes"])
def test_both_together_are_the_policy(rendering: str) -> None:
    """In every rendering, and with the bundle beside."""
    found = _emitted(POLICY, rendering=rendering)
    assert [one.message for one in found.diagnostics] == []
    assert found.known in {EQUAL, STRICTER}
    assert {"native/policy.json", "native/pay_app.toml"} <= _files(found).keys()


@pytest.mark.parametrize(
    "rules",
    [
        'allow x: web -> pay:http { GET /x when host == "pay.example" }',
        f"allow x: anyone -> web {{ GET /x }}\nmtls permissive for web {UNTIL}",
        'allow x: web -> db { when sni == "db.app" }',
        "allow x: authenticated -> pay:http { GET /x when has token }",
        "allow x: web -> pay\ndeny y: web -> pay:http { GET /x when not has token }",
        "allow x: { web, db } -> pay:admin { GET /x when not has token }\nallow y: web -> web",
    ],
)
def test_every_kind_is_proved(rules: str) -> None:
    """Whatever the language has that App Mesh has no word for, and that the sidecar judges."""
    found = _emitted(SERVICES + rules)
    assert [one.message for one in found.diagnostics] == []
    assert found.known in {EQUAL, STRICTER}
    assert "native/policy.json" in _files(found)


def test_a_policy_that_app_mesh_can_keep_needs_nobody_else() -> None:
    """Then the files are those of another compile."""
    text = SERVICES + "allow x: web -> db\nallow y: pay -> web { GET /x }"
    assert [one for one in _files(_emitted(text)) if one.startswith("native/")] == []
    assert _files(_emitted(text)) == _files(_emitted(text, residue="stop"))


def test_the_bundle_holds_what_is_handed_over_and_nothing_else() -> None:
    """Rules, ports, keys; who calls is known by identity."""
    bundle = load_bundle(_files(_emitted(POLICY))["native/policy.json"]).bundle
    assert [one.id for one in bundle.mesh.rules] == ["charge", "never", "refund"]
    assert {place.ports for rule in bundle.mesh.rules for place in rule.destinations} == {(9000,)}
    ports = {str(one.name): [port.workload for port in one.ports] for one in bundle.mesh.services}
    assert ports == {"pay": [9000], "web": [], "db": []}
    assert (bundle.mesh.routes, bundle.mesh.externals, bundle.mesh.tests) == ((), (), ())


def test_the_settings_are_those_of_the_sidecar() -> None:
    """Its own reader takes them, and its own check finds that they are about this bundle."""
    files = _files(_emitted(POLICY))
    found = parse_run_settings(files["native/pay_app.toml"], Path("/etc/native/pay_app.toml"))
    assert found.service == "pay"
    assert found.inbound == (InboundPort(9000, Place("127.0.0.1", 9000), Place("127.0.0.1", 19000)),)
    assert found.identity == WorkloadApi(Path("/run/spire/sockets/agent.sock"))
    assert found.policy.bundle == Path("/etc/native/policy.json")
    assert [(one.issuer, one.url) for one in found.tokens] == [("login", "https://login.td/keys")]
    assert load_policy(PolicyMaterial(files["native/policy.json"]), found).bundle.mesh.rules


def test_certificates_are_those_of_the_node() -> None:
    """Files of the proxy are files of the sidecar behind it."""
    files = _files(_emitted(POLICY, certificates="file:/tls/chain,/tls/key,/tls/ca"))
    found = parse_run_settings(files["native/pay_app.toml"], Path("/etc/native/pay_app.toml"))
    assert found.identity == IdentityFiles(Path("/tls/chain"), Path("/tls/key"), Path("/tls/ca"))


def _without(name: str) -> Callable[[Bundle], Bundle]:
    def change(bundle: Bundle) -> Bundle:
        kept = tuple(one for one in bundle.mesh.rules if one.id != RuleId(name))
        return replace(bundle, mesh=replace(bundle.mesh, rules=kept))

    return change


def _without_port(bundle: Bundle) -> Bundle:
    services = tuple(replace(one, ports=()) for one in bundle.mesh.services)
    rules = tuple(replace(one, destinations=()) for one in bundle.mesh.rules)
    return replace(bundle, mesh=replace(bundle.mesh, services=services, rules=rules))


def _without_service(bundle: Bundle) -> Bundle:
    services = tuple(one for one in bundle.mesh.services if one.name != NodeName("pay"))
    return replace(bundle, mesh=replace(bundle.mesh, services=services, rules=()))


def _in_plaintext(bundle: Bundle) -> Bundle:
    return replace(bundle, mesh=mesh_of(f"{POLICY}\nmtls permissive for pay {UNTIL}"))


def _accepting_none(bundle: Bundle) -> Bundle:
    services = tuple(replace(one, accepts=()) for one in bundle.mesh.services)
    return replace(bundle, mesh=replace(bundle.mesh, services=services))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_without("never"), "MP705"),
        (_without("charge"), "MP723"),
        (_without("refund"), "MP723"),
        (_without_port, "MP723"),
        (_without_service, "MP710"),
        (_in_plaintext, "MP705"),
        (_accepting_none, "MP723"),
    ],
    ids=["deny", "allow", "other allow", "port", "service", "plaintext", "issuer"],
)
def test_a_bundle_that_is_not_the_policy_is_not_written(
    change: Callable[[Bundle], Bundle], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is found by the comparison, which asks nobody what was meant."""
    monkeypatch.setattr(companions, "load", lambda _: MutatingNative(change=change))
    found = _emitted(POLICY)
    assert found.known == UNPROVED
    assert not found.may_be_written
    assert code in {one.code for one in found.diagnostics}


def test_a_bundle_that_cannot_be_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of what judges is nothing."""

    class Silent(NativeTarget):
        def emit(self, lowered: NativeLowered) -> tuple[Artifact, ...]:
            return (Artifact("policy.json", dump(lowered.bundle)[:-9]),)

    monkeypatch.setattr(companions, "load", lambda _: Silent())
    assert not _emitted(POLICY).may_be_written


def _listener(**changed: object) -> Callable[[Artifact], Artifact]:
    """The listener of `pay` at its port that is handed over, otherwise."""

    def change(one: Artifact) -> Artifact:
        if one.path != "template.json":
            return one
        tree = json.loads(one.content)
        for resource in tree["Resources"].values():
            if resource["Properties"].get("VirtualNodeName") == "pay_app":
                (listener,) = [
                    each for each in resource["Properties"]["Spec"]["Listeners"] if each["PortMapping"]["Port"] == 9000
                ]
                listener.update(changed)
        return replace(one, content=json.dumps(tree).encode())

    return change


def _settings(old: str, new: str) -> Callable[[Artifact], Artifact]:
    def change(one: Artifact) -> Artifact:
        if one.path != "native/pay_app.toml":
            return one
        assert old.encode() in one.content
        return replace(one, content=one.content.replace(old.encode(), new.encode()))

    return change


_TLS = {
    "Mode": "STRICT",
    "Certificate": {"SDS": {"SecretName": "spiffe://td/ns/app/sa/pay"}},
    "Validation": {"Trust": {"SDS": {"SecretName": "spiffe://td"}}},
}


def _caller(change: Callable[[dict[str, Any]], None]) -> Callable[[Artifact], Artifact]:
    """How `web` calls `pay`, otherwise."""

    def changed(one: Artifact) -> Artifact:
        if one.path != "template.json":
            return one
        tree = json.loads(one.content)
        for resource in tree["Resources"].values():
            if resource["Properties"].get("VirtualNodeName") == "web_app":
                change(resource["Properties"]["Spec"])
        return replace(one, content=json.dumps(tree).encode())

    return changed


def _calls_in_plaintext(spec: dict[str, Any]) -> None:
    spec["Backends"][0]["VirtualService"]["ClientPolicy"] = {}


def _takes_another_for_it(spec: dict[str, Any]) -> None:
    names = spec["Backends"][0]["VirtualService"]["ClientPolicy"]["TLS"]["Validation"]["SubjectAlternativeNames"]
    names["Match"]["Exact"] = ["spiffe://td/ns/app/sa/db"]


def _calls_nobody(spec: dict[str, Any]) -> None:
    del spec["Backends"]


@pytest.mark.parametrize("change", [_calls_in_plaintext, _takes_another_for_it, _calls_nobody])
def test_callers_that_do_not_get_to_the_sidecar_are_not_written(change: Callable[[dict[str, Any]], None]) -> None:
    """What the policy lets through comes through: with an identity, to the service that is meant."""
    found = _emitted(POLICY, _caller(change))
    assert not found.may_be_written
    assert found.diagnostics


@pytest.mark.parametrize(
    "change",
    [
        _listener(TLS=_TLS),
        _listener(PortMapping={"Port": 9000, "Protocol": "http"}),
        lambda one: None if one.path.endswith(".toml") else one,
        _settings('service = "pay"', 'service = "web"'),
        _settings('bundle = "policy.json"', 'bundle = "other.json"'),
        _settings("port = 9000", "port = 9001"),
        _settings('listen = "127.0.0.1:9000"', 'listen = "127.0.0.1:9009"'),
        _settings('application = "127.0.0.1:19000"', 'application = "127.0.0.1:9000"'),
        _settings('application = "127.0.0.1:19000"', 'application = "10.0.0.1:19000"'),
        _settings("https://login.td/keys", "https://else.td/keys"),
        _settings("[[tokens]]", "[[unknown]]"),
        _settings("[policy]", "[policy"),
        lambda one: replace(one, path="native/else.toml") if one.path.endswith(".toml") else one,
    ],
    ids=[
        "TLS is ended",
        "requests are read",
        "no settings",
        "another service",
        "another bundle",
        "another port",
        "not where the node sends to",
        "the application in front",
        "an application elsewhere",
        "other keys",
        "no keys",
        "no TOML",
        "beside nobody",
    ],
)
def test_files_that_do_not_lead_to_the_sidecar_are_not_written(change: Callable[[Artifact], Artifact | None]) -> None:
    """Then nobody knows who judges at the port."""
    found = _emitted(POLICY, change)
    assert found.known == UNPROVED
    assert "MP710" in {one.code for one in found.diagnostics}
