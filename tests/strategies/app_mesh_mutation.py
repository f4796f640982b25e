"""Resources of App Mesh as a compiler with one mistake would have emitted them, in any rendering, and judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.driver.reading_back import judgement, read_back
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.verify.translation import Translation
from meshproof.targets.appmesh.emit import InvalidResourceError
from meshproof.targets.appmesh.lift.selected import selected
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.options import Rendering
from meshproof.targets.appmesh.render.calls import calls
from meshproof.targets.appmesh.target import AppMeshTarget

TARGET = AppMeshTarget()
DAY = date(2026, 11, 26)
RENDERINGS = tuple(Rendering)

Json = Any


@dataclass(slots=True)
class Resource:
    """One resource as the API is given it. One that is `is_gone` was not emitted."""

    kind: str
    given: dict[str, Json]
    is_gone: bool = False

    @property
    def name(self) -> str:
        """What it is called, behind the name of what it belongs to."""
        key = f"{self.kind[0].lower()}{self.kind[1:]}Name"
        owner = self.given.get("virtualRouterName", "") if self.kind == "Route" else ""
        return f"{owner}/{self.given[key]}" if owner else str(self.given.get(key, self.given["meshName"]))

    @property
    def spec(self) -> dict[str, Json]:
        """What it says."""
        spec: dict[str, Json] = self.given["spec"]
        return spec


Tree = list[Resource]
Change = Callable[[], None]
Operator = Callable[[Tree, Resource], Iterator[tuple[str, Change]]]
"""The mistakes that can be made at a resource, each as the place and what makes it."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A policy with its lowering in each rendering."""

    mesh: Mesh
    lowered: dict[Rendering, AppMeshLowered]

    def tree(self) -> Tree:
        """What was emitted, to be changed."""
        (first, *_) = self.lowered.values()
        made: list[tuple[str, Any]] = [(one.operation, deepcopy(one.given)) for one in calls(first.resources)]
        found = [Resource(operation.removeprefix("Create"), given) for operation, given in made]
        return sorted(found, key=lambda one: (one.kind, one.name))

    def judged(self, tree: Tree, rendering: Rendering) -> Translation | None:
        """What is known of the resources; None if nobody would take, or could write them."""
        files = tuple(
            Artifact(f"{number:04}.json", json.dumps(one.given).encode())
            for number, one in enumerate(tree)
            if not one.is_gone
        )
        found = selected(files, ())
        if found.mesh is None:
            return None
        values = tuple(one.value for one in found.resources.every)
        lowered = self.lowered[rendering]
        try:
            written = TARGET.emit(replace(lowered, resources=values))
        except InvalidResourceError:
            return None
        lifted = read_back(TARGET, written, lowered.compile_options, self.mesh)
        return None if lifted.mesh is None else judgement(self.mesh, lifted, lowered.losses, DAY)


@cache
def compiled(text: str) -> Compiled:
    """A policy, compiled without errors."""
    mesh = mesh_of(text, has_mesh=text.lstrip().startswith("mesh "))
    lowered = {}
    for rendering in RENDERINGS:
        options = CompileOptions(DAY, (("app-mesh.rendering", str(rendering)),), require=Judgement.COOPERATIVE)
        lowered[rendering] = TARGET.lower(mesh, options)
        assert not has_errors(lowered[rendering].diagnostics), lowered[rendering].diagnostics
    return Compiled(mesh, lowered)


def mutants(tree: Tree, operators: tuple[Operator, ...]) -> Iterator[tuple[str, Change]]:
    """Every mistake of every operator, each with a name of its own."""
    seen: dict[str, int] = {}
    for operator in operators:
        for resource in tree:
            for place, change in operator(tree, resource):
                label = f"{operator.__name__}: {resource.kind} {resource.name}{place}"
                seen[label] = seen.get(label, 0) + 1
                yield label if seen[label] == 1 else f"{label} #{seen[label]}", change
