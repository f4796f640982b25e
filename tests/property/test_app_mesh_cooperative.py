"""What is emitted for App Mesh lets honest callers do what the policy allows; changed at callers, it is not written.

Servers alone keep others out, so none of these changes lets anybody in: each takes a way from a proxy that is to have
it, or makes it take another for the service, or lets it out of the mesh.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from typing import Any

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.driver.reading_back import judgement, read_back
from meshproof.compiler.driver.translating import translation_findings
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.verify.translation import Translation, TranslationVerdict
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.target import AppMeshTarget

TARGET = AppMeshTarget()
DAY = date(2026, 11, 26)
OPTIONS = CompileOptions(DAY, require=Judgement.COOPERATIVE)
ELSEWHERE = {"DNS": {"Hostname": "elsewhere.example"}}
THIEF = "spiffe://td/ns/app/sa/thief"
UNTIL = '{ because "moving in" until 2027-01-31 }'

DIRECT = """
service web { port http 80 -> 8080 }
service pay { port http 9000  versions v1, v2 }
service db { port tcp 5432 }
allow a: web -> pay
allow b: pay -> db
route pay { otherwise => v1 90%, v2 10% }
"""
DOORS = """
service web { port http 8080 }
service pay { port http 80 -> 9000 }
service old { }
allow a: web -> pay { GET /v1/** }
allow b: old -> pay { GET /x/{id} }
allow c: pay -> web
"""
MIXED = f"""
service web {{ port http 80 -> 8080 }}
service pay {{ port api http 81 -> 9000  port open http 82 -> 9001 }}
allow a: web -> pay:api
allow b: anyone -> pay:open
mtls disabled for pay:open {UNTIL}
"""
EDGE = """
service web { port http 8080 }
gateway edge { hosts "shop.example"  port http 80 }
allow pub: internet -> edge
allow e: edge -> web { GET /shop/** }
route edge { host "shop.example" /** => web:http }
"""
OUTSIDE = """
service web { port http 8080 }
service pay { port http 9000  versions v1, v2 }
external feeds { hosts "a.example.com", "b.example.com"  port http 80 }
external rates { hosts "rates.example"  port slow grpc 81  port fast http2 82 }
allow a: web -> pay
allow b: web -> feeds
allow c: pay -> rates:slow
"""
POLICIES = {"direct": DIRECT, "doors": DOORS, "mixed": MIXED, "edge": EDGE, "outside": OUTSIDE}


@cache
def compiled(name: str) -> tuple[Mesh, AppMeshLowered, Artifact, tuple[Artifact, ...]]:
    """A policy, its lowering, the file with all resources, and the others."""
    mesh = mesh_of(
        f'mesh m {{ language 1  trust-domain "td"  namespace app  egress closed }}\n{POLICIES[name]}', has_mesh=True
    )
    lowered = TARGET.lower(mesh, OPTIONS)
    assert not has_errors(lowered.diagnostics), [one.message for one in lowered.diagnostics]
    files = TARGET.emit(lowered)
    (template,) = (one for one in files if b"AWS::AppMesh::" in one.content)
    return mesh, lowered, template, tuple(one for one in files if one != template)


def judged(name: str, template: Any = None) -> Translation | None:  # noqa: ANN401  JSON
    """What is known of the template, or of another in its place; None if App Mesh would not take it."""
    mesh, lowered, own, others = compiled(name)
    file = own if template is None else Artifact(own.path, json.dumps(template).encode())
    lifted = read_back(TARGET, (file, *others), OPTIONS, mesh)
    return None if lifted.mesh is None else judgement(mesh, lifted, lowered.losses, DAY)


@pytest.mark.parametrize("name", POLICIES)
def test_both_judgements_are_proved(name: str) -> None:
    found = judged(name)
    assert found is not None
    assert found.sent is not None
    assert found.is_sound, translation_findings(compiled(name)[0], found, "App Mesh")


# --- one thing changed -----------------------------------------------------------------------------

Change = Callable[[], object]


def _resources(template: Any, kind: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  JSON
    for logical, one in template["Resources"].items():
        if one["Type"] == f"AWS::AppMesh::{kind}":
            yield logical, one["Properties"]


def _policies(template: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  JSON
    """The client policies of backends, with TLS."""
    for logical, node in _resources(template, "VirtualNode"):
        for index, backend in enumerate(node["Spec"].get("Backends", ())):
            tls = backend["VirtualService"].get("ClientPolicy", {}).get("TLS")
            if tls is not None:
                yield f"{logical}[{index}]", tls


def _without_backends(template: Any) -> Iterator[tuple[str, Change]]:  # noqa: ANN401  JSON
    for logical, node in _resources(template, "VirtualNode"):
        for index in range(len(node["Spec"].get("Backends", ()))):
            yield f"no backend {logical}[{index}]", lambda node=node, index=index: node["Spec"]["Backends"].pop(index)  # type: ignore[misc]


def _other_names(template: Any) -> Iterator[tuple[str, Change]]:  # noqa: ANN401  JSON
    for label, tls in _policies(template):
        names = tls["Validation"]["SubjectAlternativeNames"]["Match"]["Exact"]
        yield f"another's name {label}", lambda names=names: names.__setitem__(slice(None), [THIEF])  # type: ignore[misc]
        yield f"a name more {label}", lambda names=names: names.append(THIEF)  # type: ignore[misc]
        yield f"no names {label}", lambda tls=tls: tls["Validation"].pop("SubjectAlternativeNames")  # type: ignore[misc]


def _other_tls(template: Any) -> Iterator[tuple[str, Change]]:  # noqa: ANN401  JSON
    other = {"SDS": {"SecretName": "spiffe://other.example"}}
    for label, tls in _policies(template):
        yield f"trusts others {label}", lambda tls=tls: tls["Validation"].update(Trust=other)  # type: ignore[misc]
        yield f"shows nothing {label}", lambda tls=tls: tls.pop("Certificate")  # type: ignore[misc]
        shown = {"SDS": {"SecretName": THIEF}}
        yield f"shows another {label}", lambda tls=tls, shown=shown: tls.update(Certificate=shown)  # type: ignore[misc]
        yield f"enforces nothing {label}", lambda tls=tls: tls.update(Enforce=False)  # type: ignore[misc]
        if tls.get("Ports") is None or "Web" in label:  # `pay` is let in at none of its ports with TLS
            yield f"other ports {label}", lambda tls=tls: tls.update(Ports=[1])  # type: ignore[misc]


def _services(template: Any) -> Iterator[tuple[str, Change]]:  # noqa: ANN401  JSON
    """Virtual services that nobody provides, or another router or node does, or that are called otherwise."""
    routers = [one["VirtualRouterName"] for _, one in _resources(template, "VirtualRouter")]
    nodes = [one["VirtualNodeName"] for _, one in _resources(template, "VirtualNode")]
    for logical, one in _resources(template, "VirtualService"):
        provider = one["Spec"].get("Provider")
        if not provider:
            continue
        yield f"nobody provides {logical}", lambda one=one: one["Spec"].pop("Provider")  # type: ignore[misc]
        own = provider["VirtualRouter"]["VirtualRouterName"]
        for name in routers:
            if name != own:
                yield (
                    f"{name} provides {logical}",
                    lambda provider=provider, name=name: provider["VirtualRouter"].update(VirtualRouterName=name),  # type: ignore[misc]
                )
        for name in nodes:
            if not name.startswith(own.partition("_")[0]):
                by_node = {"VirtualNode": {"VirtualNodeName": name}}
                yield (
                    f"{name} is {logical}",
                    lambda one=one, by_node=by_node: one["Spec"].update(Provider=by_node),  # type: ignore[misc]
                )


def _routes(template: Any) -> Iterator[tuple[str, Change]]:  # noqa: ANN401  JSON
    """Routes that are gone, or lead to another node, or to another port."""
    nodes = [one["VirtualNodeName"] for _, one in _resources(template, "VirtualNode")]
    for logical, one in _resources(template, "Route"):
        yield f"no {logical}", lambda logical=logical: template["Resources"].pop(logical)  # type: ignore[misc]
        (part,) = (value for key, value in one["Spec"].items() if key.endswith("Route"))
        for target in part["Action"]["WeightedTargets"]:
            yield f"other port {logical}", lambda target=target: target.update(Port=1)  # type: ignore[misc]
            for name in nodes:
                if name != target["VirtualNode"]:
                    yield (
                        f"{logical} leads to {name}",
                        lambda target=target, name=name: target.update(VirtualNode=name),  # type: ignore[misc]
                    )


def _egress(template: Any) -> Iterator[tuple[str, Change]]:  # noqa: ANN401  JSON
    for _, one in _resources(template, "Mesh"):
        yield "ALLOW_ALL", lambda one=one: one["Spec"]["EgressFilter"].update(Type="ALLOW_ALL")  # type: ignore[misc]


def _beyond(template: Any) -> Iterator[tuple[str, Change]]:  # noqa: ANN401  JSON
    """Hosts outside that others call too, and hosts that are found elsewhere or at other ports."""
    hosts = [one for one in ("a.example.com", "b.example.com", "rates.example") if one in json.dumps(template)]
    for logical, node in _resources(template, "VirtualNode"):
        spec = node["Spec"]
        called = {one["VirtualService"]["VirtualServiceName"] for one in spec.get("Backends", ())}
        if node["VirtualNodeName"].startswith("outside"):
            yield f"elsewhere {logical}", lambda spec=spec: spec.update(ServiceDiscovery=ELSEWHERE)  # type: ignore[misc]
            mapping = spec["Listeners"][0]["PortMapping"]
            yield f"other protocol {logical}", lambda mapping=mapping: mapping.update(Protocol="tcp")  # type: ignore[misc]
            continue
        for host in hosts:
            if host not in called:
                more = {"VirtualService": {"VirtualServiceName": host, "ClientPolicy": {}}}
                yield (
                    f"{logical} calls {host}",
                    lambda spec=spec, more=more: spec.update(Backends=[*spec.get("Backends", ()), more]),  # type: ignore[misc]
                )


def test_what_a_node_that_nobody_knows_is_called_for_is_not_written() -> None:
    """It may be anywhere outside, whatever it is called."""
    changed = json.loads(compiled("direct")[2].content)
    (web,) = (one for _, one in _resources(changed, "VirtualNode") if one["VirtualNodeName"] == "web_app")
    named = {
        "MeshName": "m",
        "VirtualNodeName": "evil",
        "Spec": {"ServiceDiscovery": {"DNS": {"Hostname": "evil.example"}}},
    }
    named["Spec"]["Listeners"] = [{"PortMapping": {"Port": 80, "Protocol": "http"}}]  # type: ignore[index]
    provider = {"Provider": {"VirtualNode": {"VirtualNodeName": "evil"}}}
    called = {"MeshName": "m", "VirtualServiceName": "evil.example", "Spec": provider}
    changed["Resources"]["Evil"] = {"Type": "AWS::AppMesh::VirtualNode", "Properties": named}
    changed["Resources"]["EvilService"] = {"Type": "AWS::AppMesh::VirtualService", "Properties": called}
    assert judged("direct", changed) == judged("direct")
    web["Spec"]["Backends"].append({"VirtualService": {"VirtualServiceName": "evil.example", "ClientPolicy": {}}})
    found = judged("direct", changed)
    assert found is not None
    assert "nothing that the policy knows" in str(found.undecided)


WAYS = (_without_backends, _other_names, _other_tls, _services, _routes, _egress, _beyond)


def _changes(template: Any) -> Iterator[tuple[str, Change]]:  # noqa: ANN401  JSON
    for way in WAYS:
        yield from way(template)


@pytest.mark.parametrize("name", POLICIES)
def test_what_takes_honest_callers_their_way_or_misleads_them_is_not_written(name: str) -> None:
    original = json.loads(compiled(name)[2].content)
    labels = [label for label, _ in _changes(original)]
    assert len(labels) >= 4
    survived = []
    for at, label in enumerate(labels):
        changed = copy.deepcopy(original)
        change = next(change for index, (_, change) in enumerate(_changes(changed)) if index == at)
        change()
        found = judged(name, changed)
        if found is not None and found.is_sound:
            survived.append(label)
    assert survived == []


def test_a_way_that_is_missing_is_told_of_with_the_request_that_is_not_sent() -> None:
    """Servers let it in, so what is enforced is what the policy says; together it is not."""
    changed = json.loads(compiled("direct")[2].content)
    (web,) = (one for _, one in _resources(changed, "VirtualNode") if one["VirtualNodeName"] == "web_app")
    web["Spec"].pop("Backends")
    found = judged("direct", changed)
    assert found is not None
    assert (found.of_servers, found.verdict) == (TranslationVerdict.EQUAL, TranslationVerdict.WRONG)
    (told,) = translation_findings(compiled("direct")[0], found, "App Mesh")
    assert told.code == "MP723"
    assert told.message == (
        "proxies of callers would refuse what the policy allows, and no listed loss says so: web -> pay:http"
    )
    assert json.loads(told.evidence[0].value)["source"]["identity"] == "spiffe://td/ns/app/sa/web"
