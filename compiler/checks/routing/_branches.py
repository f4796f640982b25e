"""Routes and their branches for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.routing import Branch, Route

_UNITS = (("h", 3_600_000), ("m", 60_000), ("s", 1000))


def title(route: Route, branch: Branch) -> str:
    """The branch by its place in the route; a route without branches is its own."""
    if branch.origin.span == route.origin.span:
        return f"route `{route.id}`"
    if branch.is_otherwise and len(route.branches) > 1:
        return f"`otherwise` of route `{route.id}`"
    return f"branch {route.branches.index(branch) + 1} of route `{route.id}`"


def port_name(mesh: Mesh, node: str, port: int) -> str:
    """`NODE:PORT` with the port's name where it has one."""
    found = next((one for one in mesh.nodes if one.name == node), None)
    names = () if found is None else (one.name for one in found.ports if one.workload == port)
    return f"{node}:{next(iter(names), port)}"


def duration(milliseconds: int) -> str:
    """A duration in the largest unit of the language that keeps it whole."""
    for unit, length in _UNITS:
        if milliseconds and milliseconds % length == 0:
            return f"{milliseconds // length}{unit}"
    return f"{milliseconds}ms"
