"""The resources that files hold of the one mesh that is meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import Lifted, LiftedObject
from meshproof.compiler.ir.mesh import Mesh
from meshproof.dsl.diagnostic import Diagnostic, Severity
from meshproof.dsl.source import SourceFile, Span
from meshproof.targets.appmesh.lift.documents import Files, read_files
from meshproof.targets.appmesh.lift.findings import BAD_FIELD, BAD_OPTION, NOTHING, finding
from meshproof.targets.appmesh.lift.found import Resources
from meshproof.targets.appmesh.options import MESH, BadOptionError, Options, read_options
from meshproof.targets.common.tree import MapNode

_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Selected:
    """`mesh` is the name of the mesh; None if anything in the files is refused: half of one is never judged.

    `network` are the NetworkPolicies of the files, and `groups` the templates with security groups.
    """

    mesh: str | None
    resources: Resources
    options: Options
    diagnostics: tuple[Diagnostic, ...]
    sources: tuple[SourceFile, ...] = ()
    skipped: tuple[tuple[str, int], ...] = ()
    objects: tuple[LiftedObject, ...] = ()
    network: tuple[MapNode, ...] = ()
    groups: tuple[MapNode, ...] = ()

    def lifted(self, mesh: Mesh | None) -> Lifted:
        """What was read, as that mesh."""
        is_there = mesh is not None
        return Lifted(mesh, self.diagnostics, self.sources, self.skipped, self.objects, has_workloads=is_there)


def selected(files: tuple[Artifact, ...], settings: Iterable[tuple[str, str]]) -> Selected:
    """The resources of the mesh that options name, or of the only one."""
    start = Span(files[0].path if files else "", 0, 0)
    try:
        options = read_options(settings)
    except BadOptionError as error:
        return Selected(None, Resources(), Options(), (finding(BAD_OPTION, str(error), "", start, error.advice),))
    found = read_files(files, options.parameters)
    resources, chosen = _chosen(found.resources, options.mesh, start)
    foreign = _foreign_parameters(options, found, start)
    diagnostics = (*found.diagnostics, *foreign, *chosen, *_twice(resources))
    mesh = next(iter(_meshes(resources)), None)
    if mesh is None and not diagnostics:
        diagnostics = (finding(NOTHING, "no file holds a resource of App Mesh that is there", "", start),)
    if mesh is None or any(one.severity is Severity.ERROR for one in diagnostics):
        return Selected(None, resources, options, diagnostics, found.sources, found.skipped)
    objects = tuple(_objects(found, mesh))
    told = (found.sources, found.skipped, objects, found.network, found.groups)
    return Selected(mesh, resources, options, diagnostics, *told)


def _foreign_parameters(options: Options, found: Files, start: Span) -> Iterator[Diagnostic]:
    """Parameters that were given and that no template has; those of CloudFormation's own need no declaration."""
    for name in options.parameters:
        if "::" not in name and name not in found.parameters:
            near = get_close_matches(name, sorted(found.parameters), 1)
            advice = f"did you mean `{near[0]}`?" if near else None
            yield finding(BAD_OPTION, f"no template has the parameter `{name}`", name, start, advice)


def _meshes(resources: Resources) -> tuple[str, ...]:
    """The names of the meshes, as resources name them."""
    return tuple(dict.fromkeys(one.value.mesh_name for one in resources.every))


def _chosen(resources: Resources, name: str | None, start: Span) -> tuple[Resources, tuple[Diagnostic, ...]]:
    """The resources of one mesh."""
    names = _meshes(resources)
    wanted = name if name is not None else names[0] if names else None
    of_mesh = {
        field.name: tuple(one for one in getattr(resources, field.name) if one.value.mesh_name == wanted)
        for field in fields(resources)
    }
    chosen = replace(resources, **of_mesh)
    if name is None and len(names) > 1:
        shown = ", ".join(f"`{one}`" for one in names[:_MOST_NAMES])
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        message = f"the files hold {len(names)} meshes: {shown}{more}"
        advice = f"say which one is meant with `--option {MESH}={names[0]}`"
        return chosen, (finding(BAD_OPTION, message, "", start, advice),)
    if name is not None and name not in names:
        return chosen, (finding(BAD_OPTION, f"no resource is of the mesh `{name}`", "", start),)
    return chosen, ()


def _twice(resources: Resources) -> Iterator[Diagnostic]:
    """Resources that have the name of another one of their kind: only one of them can be there."""
    seen: set[tuple[str, ...]] = set()
    for one in resources.every:
        key = (type(one.value).__name__, one.name, str(getattr(one.value, "virtual_router_name", "")))
        if key in seen:
            yield finding(BAD_FIELD, f"another {key[0]} is called `{one.name}`", one.name, one.origin)
        seen.add(key)


def _objects(found: Files, mesh: str) -> Iterator[LiftedObject]:
    for one in found.resources.every:
        if one.value.mesh_name == mesh:
            yield LiftedObject(type(one.value).__name__, mesh, one.name, one.origin.span)
