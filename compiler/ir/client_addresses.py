"""Where `client.ip` is not what a destination is told."""

from __future__ import annotations

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import ClientIp, attributes_of


def hidden_by(mesh: Mesh, rule: AuthzRule) -> Gateway | None:
    """A gateway with proxies before it, behind which the rule reads `client.ip`; None where there is none.

    Such a gateway appends the last proxy's address to `x-forwarded-for` (Envoy, `xff_num_trusted_hops`), so the last
    one there is not the client's.
    """
    if ClientIp() not in attributes_of(rule.content):
        return None
    named = {*rule.sources.members, *rule.sources.shared}
    callers = (one for one in mesh.gateways if not named or one.name in named)
    return next((one for one in callers if one.trusted_proxies), None)
