"""What is not modelled in a lifted mesh, and where: checks say so once, however many questions hang on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.predicate import And, Opaque
from meshproof.compiler.semantics.truth import opaques_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import Origin


_MARK = "[unknown]"
"""What the lift puts into the names of such rules; no policy of a mesh can have it in its name."""


def stands_for(rule: AuthzRule) -> Opaque | None:
    """What is not modelled, if the rule stands for that and nobody wrote it; it may be about some requests alone."""
    if _MARK not in rule.id:
        return None
    parts = rule.when.operands if isinstance(rule.when, And) else (rule.when,)
    return next((part for part in parts if isinstance(part, Opaque)), None)


def objects_not_modelled(mesh: Mesh) -> dict[str, AuthzRule]:
    """The rules that stand for what is not modelled, by the name under which answers hang on them."""
    found = ((stands_for(rule), rule) for rule in mesh.rules)
    return {opaque.field: rule for opaque, rule in found if opaque is not None}


def is_elsewhere(mesh: Mesh, rule: AuthzRule) -> bool:
    """Whether such a rule stands for hosts alone of which no file says what is behind them: they are not judged."""
    outside = {node.name for node in mesh.externals}
    return all(place.node in outside for place in rule.destinations)


def is_about_object(mesh: Mesh, reason: str) -> bool:
    """Whether something is undecided because of an object that is not modelled: of that there is a finding, MP318."""
    return any(f"`{name}`" in reason for name in objects_not_modelled(mesh))


def place_of(mesh: Mesh, reason: str) -> Origin | None:
    """Where something is written that is not modelled, and because of which something is undecided."""
    return next((opaque.origin for opaque in _opaques(mesh) if f"`{opaque.field}`" in reason), None)


def _opaques(mesh: Mesh) -> Iterator[Opaque]:
    for rule in mesh.rules:
        yield from opaques_in(rule.content)
    for route in mesh.routes:
        for branch in route.branches:
            yield from opaques_in(branch.condition)
