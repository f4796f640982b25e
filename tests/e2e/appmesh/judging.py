"""Resources of App Mesh in all three renderings, held to whatever of AWS can be had without an account."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError
from tests.e2e.appmesh.control_plane import ControlPlane

from meshproof.compiler.backend.artifact import Artifact
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.appmesh.lift.documents import read_files
from meshproof.targets.appmesh.model.mesh import Mesh, MeshSpec
from meshproof.targets.appmesh.references import key_of
from meshproof.targets.appmesh.render.calls import Call, calls
from meshproof.targets.appmesh.render.cloudformation import template
from meshproof.targets.appmesh.render.kubernetes import Placement, objects
from meshproof.targets.appmesh.template_check import problems
from meshproof.targets.appmesh.together import Quotas
from meshproof.targets.appmesh.values import Value


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a rendering would be refused for, or does not say. `rendering`: `api`, `cloudformation` or
    `kubernetes`."""

    rendering: str
    message: str


def findings(resources: Sequence[Value], placement: Placement, plane: ControlPlane) -> tuple[Finding, ...]:
    """Everything that is found in the resources of one whole mesh; none if AWS's own tools and our rules take them.

    `plane` is empty before and after; its quotas count everywhere. Objects that cannot say a resource have its gaps as
    findings.
    """
    of_template = _cloudformation(resources, plane.quotas)
    return (*_api(resources, plane), *of_template, *_kubernetes(resources, placement))


def _api(resources: Sequence[Value], plane: ControlPlane) -> Iterator[Finding]:
    """All are made in the order of the calls, told as they were given, and deleted the other way round."""
    assert not plane.stored
    made = calls(resources)
    try:
        for one in made:
            plane.call(one.operation, _given(one))
        for one in made:
            if _described(one, plane) != _said(one):
                yield Finding("api", f"{one.operation}: it is told otherwise than it was given")
        for one in reversed(made):
            plane.call(one.operation.replace("Create", "Delete"), _names(one))
    except (ClientError, ParamValidationError) as error:
        yield Finding("api", str(error))
    plane.stored.clear()


def _given(one: Call) -> dict[str, Any]:
    assert isinstance(one.given, dict)
    return dict(one.given)


def _names(one: Call) -> dict[str, Any]:
    kind = one.operation.removeprefix("Create")
    own = f"{kind[0].lower()}{kind[1:]}Name"
    wanted = {
        own,
        "meshName",
        *({"Route": ["virtualRouterName"], "GatewayRoute": ["virtualGatewayName"]}.get(kind, ())),
    }
    return {name: value for name, value in _given(one).items() if name in wanted}


def _said(one: Call) -> dict[str, Any]:
    given = {name: value for name, value in _given(one).items() if name not in {"tags", "meshOwner"}}
    return {"spec": {}, **given}


def _described(one: Call, plane: ControlPlane) -> dict[str, Any]:
    answer = plane.call(one.operation.replace("Create", "Describe"), _names(one))
    kind = one.operation.removeprefix("Create")
    told = answer[f"{kind[0].lower()}{kind[1:]}"]
    return {name: value for name, value in told.items() if name not in {"metadata", "status"}}


def _cloudformation(resources: Sequence[Value], quotas: Quotas) -> Iterator[Finding]:
    made = template(resources)
    for one in problems(made, quotas):
        yield Finding("cloudformation", f"{'.'.join(map(str, one.path))}: {one.message}")
    yield from _read_back("cloudformation", made, resources)


def _kubernetes(resources: Sequence[Value], placement: Placement) -> Iterator[Finding]:
    made = objects(resources, placement)
    for gap in made.gaps:
        yield Finding("kubernetes", f"{gap.key.kind} {gap.key.name}, {'.'.join(map(str, gap.path))}: {gap.message}")
    if not made.gaps:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(made.documents)}
        yield from _read_back("kubernetes", listed, resources)


def _read_back(rendering: str, made: object, resources: Sequence[Value]) -> Iterator[Finding]:
    found = read_files((Artifact("mesh.json", json.dumps(made).encode()),), {})
    for one in found.diagnostics:
        if one.severity is Severity.ERROR:
            yield Finding(rendering, one.message)
    read = {key_of(one.value): _whole(one.value) for one in found.resources.every}
    if read != {key_of(one): _whole(one) for one in resources}:
        yield Finding(rendering, "it is read back otherwise than it was given")


def _whole(one: Value) -> Value:
    """A mesh without a specification is one with an empty one."""
    return Mesh(one.mesh_name, MeshSpec(), one.tags) if isinstance(one, Mesh) and one.spec is None else one
