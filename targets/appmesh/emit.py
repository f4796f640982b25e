"""Resources as files: a template of CloudFormation, objects of the controller, or calls of the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import cast

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.ir.json_text import Json
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.options import Rendering
from meshproof.targets.appmesh.render.calls import calls
from meshproof.targets.appmesh.render.cloudformation import template
from meshproof.targets.appmesh.render.kubernetes import objects
from meshproof.targets.appmesh.residue.iam import Scope, grants
from meshproof.targets.appmesh.residue.network import KIND, document
from meshproof.targets.appmesh.residue.security_groups import template as group_template
from meshproof.targets.appmesh.residue.wiring import settings_of
from meshproof.targets.common.yaml import Value, dump

TEMPLATE = "template.json"
CALLS = "calls"
"""The folder of calls: each file is `aws appmesh OPERATION --cli-input-json file://…`, in the order of their names."""

MANIFESTS = "manifests"
"""The folder to apply: `kubectl apply -f build/app-mesh/manifests`."""

_APPLIED = (KIND, "Mesh", "VirtualNode", "VirtualService", "VirtualRouter", "VirtualGateway", "GatewayRoute")
"""In this order, which is that of the files' names: the controller's webhooks look for the mesh of each object, and for
the gateway of each route, and the network is closed before anything is open."""

NETWORK_POLICIES = "network-policies.yaml"
"""For `kubectl apply -f`, where no other objects are written."""

SECURITY_GROUPS = "security-groups.json"
"""A template of its own: groups are there before what they are given to."""

RESIDUALS = "meshproof/residuals.json"
IAM = "meshproof/iam.json"
DIALS = "meshproof/dials.json"
SOURCES = "meshproof/sources.json"
BESIDE = (RESIDUALS, IAM, SOURCES, DIALS)
"""Files about the resources, which are none of App Mesh's own: whoever reads those leaves them out."""


class InvalidResourceError(AssertionError):
    """A bug of this target: it made resources that cannot be written as they were asked for."""


def emit(lowered: AppMeshLowered) -> tuple[Artifact, ...]:
    """The files, sorted by path. Raises `InvalidResourceError`, which is an internal error."""
    resources = _RENDERED[lowered.options.rendering](lowered)
    return tuple(sorted((*resources, *_network(lowered), *_wired(lowered), *_beside(lowered))))


def _template(lowered: AppMeshLowered) -> tuple[Artifact, ...]:
    whole = template(lowered.resources)
    assert isinstance(whole, dict)
    return (Artifact(TEMPLATE, _text({**whole, "Description": _told(lowered)})),)


def _told(lowered: AppMeshLowered) -> str:
    return f"Compiled by meshproof: {lowered.compile_options.read_back}"


def _calls(lowered: AppMeshLowered) -> tuple[Artifact, ...]:
    found = calls(lowered.resources)
    width = len(str(len(found)))
    return tuple(
        Artifact(f"{CALLS}/{number:0{width}}-{_kebab(one.operation)}.json", _text(one.given))
        for number, one in enumerate(found, start=1)
    )


def _manifests(lowered: AppMeshLowered) -> tuple[Artifact, ...]:
    found = objects(lowered.resources, lowered.placement)
    if found.gaps:
        reasons = "; ".join(f"{one.key.kind} {one.key.name}: {one.message}" for one in found.gaps)
        raise InvalidResourceError(f"no objects can say this: {reasons}")
    documents: dict[str, list[Json]] = {}
    for one in found.documents:
        assert isinstance(one, dict)
        documents.setdefault(_manifest(str(one["kind"])), []).append(one)
    return tuple(Artifact(path, dump(cast("list[Value]", group))) for path, group in documents.items())


_RENDERED = {Rendering.CLOUDFORMATION: _template, Rendering.API: _calls, Rendering.KUBERNETES: _manifests}


def _network(lowered: AppMeshLowered) -> Iterator[Artifact]:
    """What closes the network: in the folder that is applied anyway, or beside."""
    if lowered.closing.policies:
        is_applied = lowered.options.rendering is Rendering.KUBERNETES
        path = _manifest(KIND) if is_applied else NETWORK_POLICIES
        yield Artifact(path, dump(cast("list[Value]", [document(one) for one in lowered.closing.policies])))
    if lowered.closing.groups:
        yield Artifact(SECURITY_GROUPS, _text(group_template(lowered.closing.groups, _told(lowered))))


def _wired(lowered: AppMeshLowered) -> Iterator[Artifact]:
    """The settings of the sidecars behind nodes; their bundle is another target's."""
    yield from (Artifact(one.path, settings_of(one)) for one in lowered.wirings)


def _beside(lowered: AppMeshLowered) -> tuple[Artifact, ...]:
    scope = Scope(lowered.options.partition, lowered.options.region, lowered.options.account)
    told: Json = [{"code": one.code, "text": one.text, "names": list(one.names)} for one in lowered.residuals]
    roles = {f"{one.kind}/{one.name}": one.document for one in grants(lowered.proxied, scope)}
    places: Json = [
        {"kind": one.kind, "name": one.name, "index": one.index, "subject": one.subject} for one in lowered.source_map
    ]
    dials: Json = [
        {"caller": one.caller, "service": one.service, "port": one.port, "dials": one.dials} for one in lowered.dials
    ]
    options = lowered.compile_options
    known: Json = {"readBack": options.read_back, "sourceHash": options.source_hash, "sources": places}
    return (
        Artifact(RESIDUALS, _text(told)),
        Artifact(IAM, _text(roles)),
        Artifact(SOURCES, _text(known)),
        *((Artifact(DIALS, _text(dials)),) if lowered.dials else ()),
    )


def _manifest(kind: str) -> str:
    return f"{MANIFESTS}/{_APPLIED.index(kind) + 1}-{_kebab(kind)}.yaml"


def _text(tree: object) -> bytes:
    return (json.dumps(tree, indent=2) + "\n").encode()


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
