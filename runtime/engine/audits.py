"""Rules that are audited: which of them a request meets, told beside the decision, in which they have no part.

They are read by an engine of their own, in which each of them allows: what decides there is what is met here. So a
policy without such rules pays nothing for them, and there is no second reading of what a rule takes.
"""

from __future__ import annotations

from dataclasses import replace

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.mesh import Egress, Mesh
from meshproof.runtime.engine.engine import Engine


def audits(mesh: Mesh) -> Engine | None:
    """The engine whose decisions name the audited rules that a request meets, or None where no rule is audited.

    Requests that are refused before rules are looked at (by transport, for their path, for their token) meet none. An
    `audit ask` asks nobody, and is met by none either.
    """
    audited = tuple(
        replace(rule, effect=Effect.ALLOW, is_enforced=True)
        for rule in mesh.rules
        if not rule.is_enforced and rule.effect is not Effect.ASK
    )
    if not audited:
        return None
    services = tuple(replace(one, observe=None) for one in mesh.services)
    namespaces = tuple(replace(one, observe=None) for one in mesh.namespaces)
    return Engine(
        replace(mesh, rules=audited, routes=(), services=services, namespaces=namespaces, egress=Egress.CLOSED)
    )
