"""What is emitted for App Mesh, read back, is proved to mean what the policy says; changed, it is not.

Each change is one that lets somebody in, or leads somewhere else; what is proved of such files would be proved wrongly.
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
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.verify.translation import Translation
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.target import AppMeshTarget

TARGET = AppMeshTarget()
DAY = date(2026, 11, 26)
OPTIONS = CompileOptions(DAY, require=Judgement.COOPERATIVE)
THIEF = "spiffe://td/ns/app/sa/thief"

DIRECT = """
service web { port http 8080 }
service pay { port http 9000 }
service db { port tcp 5432 }
allow a: web -> pay
allow b: pay -> db
"""
DOORS = """
service web { port http 8080 }
service pay { port http 80 -> 9000  versions v1, v2 }
service old { }
allow a: web -> pay {
    GET /v1/**
    POST /charge
}
allow b: old -> web
allow c: old -> pay { GET /x/{id} }
deny d: anyone -> pay { GET /v1/secret }
route pay { otherwise => v1 90%, v2 10%  timeout 2s }
"""
EDGE = """
service web { port http 8080 }
service pay { port grpc 9000 }
gateway edge { hosts "shop.example"  port http 80 }
allow pub: internet -> edge
allow e: edge -> web { GET /shop/** }
route edge { host "shop.example" /** => web:http }
allow a: web -> pay { POST /pay.Pay/Charge }
"""
POLICIES = {"direct": DIRECT, "doors": DOORS, "edge": EDGE}


@cache
def compiled(name: str) -> tuple[Mesh, AppMeshLowered, Artifact, tuple[Artifact, ...]]:
    """A policy, its lowering, the file with all resources, and the other files."""
    mesh = mesh_of(POLICIES[name])
    lowered = TARGET.lower(mesh, OPTIONS)
    assert not has_errors(lowered.diagnostics), [one.message for one in lowered.diagnostics]
    files = TARGET.emit(lowered)
    (template,) = (one for one in files if b"AWS::AppMesh::" in one.content)
    return mesh, lowered, template, tuple(one for one in files if one is not template)


def judged(name: str, template: Any = None) -> Translation | None:  # noqa: ANN401  JSON
    """What is known of the template, or of another in its place; None if App Mesh would not take it."""
    mesh, lowered, own, others = compiled(name)
    file = own if template is None else Artifact(own.path, json.dumps(template).encode())
    lifted = read_back(TARGET, (file, *others), OPTIONS, mesh)
    return None if lifted.mesh is None else judgement(mesh, lifted, lowered.losses, DAY)


@pytest.mark.parametrize("name", POLICIES)
def test_what_is_emitted_is_proved(name: str) -> None:
    found = judged(name)
    assert found is not None
    assert found.is_sound, found


def _parts(tree: Any, key: str) -> Iterator[Any]:  # noqa: ANN401  JSON
    """Every mapping of the tree that has the key."""
    if isinstance(tree, dict):
        if key in tree:
            yield tree
        for inner in tree.values():
            yield from _parts(inner, key)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _parts(inner, key)


def _spec(resource: Any) -> Any:  # noqa: ANN401  JSON
    return resource["Properties"]["Spec"]


def _a_name_more(resource: Any) -> Iterator[Callable[[], None]]:  # noqa: ANN401  JSON
    for listener in _spec(resource).get("Listeners", ()):
        for part in _parts(listener, "Exact"):
            yield lambda part=part: part["Exact"].append(THIEF)  # type: ignore[misc]


def _no_names(resource: Any) -> Iterator[Callable[[], None]]:  # noqa: ANN401  JSON
    for listener in _spec(resource).get("Listeners", ()):
        for part in _parts(listener, "SubjectAlternativeNames"):
            yield lambda part=part: part.pop("SubjectAlternativeNames")  # type: ignore[misc]


def _no_validation(resource: Any) -> Iterator[Callable[[], None]]:  # noqa: ANN401  JSON
    for listener in _spec(resource).get("Listeners", ()):
        for part in _parts(listener, "Validation"):
            yield lambda part=part: part.pop("Validation")  # type: ignore[misc]


def _plaintext_too(resource: Any) -> Iterator[Callable[[], None]]:  # noqa: ANN401  JSON
    for part in _parts(_spec(resource).get("Listeners", ()), "Mode"):
        yield lambda part=part: part.update(Mode="PERMISSIVE")  # type: ignore[misc]


def _no_tls(resource: Any) -> Iterator[Callable[[], None]]:  # noqa: ANN401  JSON
    for part in _parts(_spec(resource).get("Listeners", ()), "TLS"):
        yield lambda part=part: part.pop("TLS")  # type: ignore[misc]


def _any_path(resource: Any) -> Iterator[Callable[[], None]]:  # noqa: ANN401  JSON
    for part in _parts(_spec(resource), "Path"):
        if isinstance(part["Path"], dict) and {"Exact", "Regex"} & part["Path"].keys():
            yield lambda part=part: part.update(Path={"Regex": "/.*"})  # type: ignore[misc]


def _any_method(resource: Any) -> Iterator[Callable[[], None]]:  # noqa: ANN401  JSON
    for part in _parts(_spec(resource), "Method"):
        yield lambda part=part: part.pop("Method")  # type: ignore[misc]


def _rewritten(resource: Any) -> Iterator[Callable[[], None]]:  # noqa: ANN401  JSON
    """Gates name the virtual service as the host, and gateways of the policy leave it as it is."""
    for part in _parts(_spec(resource), "DefaultTargetHostname"):
        other = {"ENABLED": "DISABLED", "DISABLED": "ENABLED"}[part["DefaultTargetHostname"]]
        yield lambda part=part, other=other: part.update(DefaultTargetHostname=other)  # type: ignore[misc]


LISTENING = (_a_name_more, _no_names, _no_validation, _plaintext_too, _no_tls)
GATEWAY_ROUTE = (_any_path, _any_method, _rewritten)


def _changes(template: Any) -> Iterator[tuple[str, Callable[[], None]]]:  # noqa: ANN401  JSON
    """Every change of one thing in a template."""
    for logical, resource in template["Resources"].items():
        kind = resource["Type"].removeprefix("AWS::AppMesh::")
        ways = {"VirtualNode": LISTENING, "VirtualGateway": LISTENING, "GatewayRoute": GATEWAY_ROUTE}.get(kind, ())
        if kind == "VirtualNode" and resource["Properties"]["VirtualNodeName"].startswith("meshproof-gate"):
            continue  # an address, of which no proxy is a part
        is_refusing = "refused.invalid" in json.dumps(resource)
        if is_refusing and '"Prefix": "/"' in json.dumps(resource):
            continue  # what no route takes is refused as well
        if is_refusing:
            ways = ()  # to refuse more lets nobody in
        for way in ways:
            for number, change in enumerate(way(resource)):
                yield f"{way.__name__} {number} of {logical}", change
        if kind == "GatewayRoute":
            yield f"no {logical}", lambda logical=logical: template["Resources"].pop(logical)  # type: ignore[misc]


@pytest.mark.parametrize("name", POLICIES)
def test_what_lets_somebody_in_is_not_proved(name: str) -> None:
    original = json.loads(compiled(name)[2].content)
    labels = [label for label, _ in _changes(original)]
    assert len(labels) > 5
    survived = []
    for at, label in enumerate(labels):
        changed = copy.deepcopy(original)
        change = next(change for index, (_, change) in enumerate(_changes(changed)) if index == at)
        change()
        found = judged(name, changed)
        if found is not None and found.is_sound:
            survived.append(label)
    assert survived == []
