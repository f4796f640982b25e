"""What the tests of the lowering share: a policy as text in, resources out."""

from __future__ import annotations

from datetime import date
from typing import TypeVar

from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.ir.judgement import Judgement
from meshproof.targets.appmesh.lower.lower import AppMeshLowered, lower
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_node import Listener, VirtualNode
from meshproof.targets.appmesh.rules import breaches
from meshproof.targets.appmesh.together import misfits

DAY = date(2026, 11, 23)
ONE = TypeVar("ONE")
NAMES = "spiffe://td/ns/app/sa/"


def lowered(
    text: str,
    settings: dict[str, str] | None = None,
    *,
    has_mesh: bool = False,
    require: Judgement = Judgement.COOPERATIVE,
) -> AppMeshLowered:
    """A policy lowered; callers may keep what they keep, unless all is to be enforced."""
    given = tuple((settings or {}).items())
    return lower(mesh_of(text, has_mesh=has_mesh), CompileOptions(DAY, given, "hash", require=require))


def sound(text: str, settings: dict[str, str] | None = None, *, has_mesh: bool = False) -> AppMeshLowered:
    """The same of a policy without errors; what comes is what App Mesh takes, one by one and together."""
    found = lowered(text, settings, has_mesh=has_mesh)
    errors = [one.message for one in found.diagnostics if one.severity == "error"]
    assert not errors, errors
    assert not misfits(found.resources)
    assert not [breach for one in found.resources for breach in breaches(one)]
    return found


def errors(text: str, settings: dict[str, str] | None = None, *, has_mesh: bool = False) -> dict[str, str]:
    """The errors of a policy by what they are about."""
    found = lowered(text, settings, has_mesh=has_mesh)
    return {one.subject: f"{one.code} {one.message}" for one in found.diagnostics if one.severity == "error"}


def every(found: AppMeshLowered, kind: type[ONE]) -> list[ONE]:
    """The resources of a kind."""
    return [one for one in found.resources if isinstance(one, kind)]


def node(found: AppMeshLowered, name: str) -> VirtualNode:
    """The virtual node of that name."""
    (one,) = [one for one in every(found, VirtualNode) if one.virtual_node_name == name]
    return one


def listener(found: AppMeshLowered, name: str) -> Listener:
    """The only listener of a node."""
    (one,) = node(found, name).spec.listeners or ()
    return one


def taken(one: Listener) -> tuple[str, ...] | str:
    """Whom a listener takes in: the accounts of those of namespace `app`, other names as they stand, or its mode."""
    if one.tls is None:
        return "plaintext"
    assert one.tls.validation is not None
    names = one.tls.validation.subject_alternative_names
    if names is None:
        return one.tls.mode
    assert one.tls.mode == "STRICT"
    return tuple(name.removeprefix(NAMES) for name in names.match.exact)


def routes(found: AppMeshLowered, router: str) -> list[Route]:
    """The routes of a router, in their order."""
    own = [one for one in every(found, Route) if one.virtual_router_name == router]
    return sorted(own, key=lambda one: one.spec.priority or 0)
