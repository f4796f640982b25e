"""Whether the sidecar behind a node can judge a port that no proxy of App Mesh can."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Issuer, Service, ServicePort
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.predicate import ClientIp, SourceIp, attributes_of
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.rows import Row
from meshproof.targets.appmesh.options import RESIDUE, Residue


def obstacle(context: Context, row: Row) -> str | None:
    """Why it cannot, as a clause; None if it can.

    What comes to it comes from the node's own proxy, so it sees the address of nobody else (ADR 0339).
    """
    if row.mode is MtlsMode.DISABLED:
        return "no caller has an identity there"
    for rule in context.mesh.rules:
        is_over = rule.is_enforced and not rule.is_in_force(context.day)
        if is_over or not _is_about(rule, row.service, row.port):
            continue
        if rule.effect is Effect.ASK:
            return f"it asks nobody, as `{rule.id}` wants"
        if {SourceIp(), ClientIp()} & set(attributes_of(rule.content)):
            return f"it sees the address of the node's own proxy, and `{rule.id}` looks at that of others"
    for issuer in accepted(context, row.service):
        if issuer.jwks is None or not issuer.jwks.startswith("https://"):
            return f"the policy names no URL of `https` for the keys of `{issuer.name}`"
    own = context.mesh.trust_domain
    foreign = (*(may for _, may in row.foreign), *(may for one, may in row.known if one.trust_domain != own))
    if context.options.files is not None and not all(may.is_nothing for may in foreign):
        return "no file holds the authorities of foreign trust domains"
    return None


def advised(context: Context, row: Row, advice: str | None) -> str | None:
    """What to do where App Mesh cannot judge at a port: `advice`, and that the sidecar can, if nobody asked it yet."""
    why = obstacle(context, row)
    is_asked = context.options.residue is Residue.NATIVE
    parts = [] if advice is None else [advice]
    if why is None and not is_asked:
        place = f"{row.service.name}:{row.port.workload}"
        parts.insert(0, f"hand `{place}` to the native sidecar behind the node, with `--option {RESIDUE}=native`")
    if why is not None and is_asked:
        parts.append(f"the native sidecar cannot judge there either: {why}")
        return "; ".join(parts)
    return ", or ".join(parts) or None


def accepted(context: Context, service: Service) -> Iterator[Issuer]:
    """The issuers whose tokens a service looks at."""
    return (one for one in context.mesh.issuers if one.name in service.accepts)


def _is_about(rule: AuthzRule, service: Service, port: ServicePort) -> bool:
    places = (one for one in rule.destinations if one.node == service.name)
    return any(one.ports is None or port.workload in one.ports for one in places)
