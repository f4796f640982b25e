"""What of a policy App Mesh has no words for, whoever calls whom: said at the declaration or rule, never left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Gateway, Layer, Service
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.mesh import Egress
from meshproof.compiler.ir.mtls import MtlsMode, effective_policy
from meshproof.compiler.ir.predicate import Port, Test, disjunction, negation
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.appmesh.lower.admission import judged_at_doors
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.door import Doors
from meshproof.targets.appmesh.lower.handable import advised
from meshproof.targets.appmesh.lower.rows import Row, is_observed
from meshproof.targets.common.findings import NotExpressibleError

_NO_PORT = 0
"""One that nobody declares."""

_ENDED = (
    "AWS has ended App Mesh on 2026-09-30: its resources are no longer accessible, so nothing of this can be applied "
    "where AWS runs it"
)


def tell_end(context: Context) -> None:
    """MP725 at every compile."""
    advice = "move to a mesh that is there: `meshproof compile --target istio`"
    context.findings.add("MP725", Severity.WARNING, _ENDED, context.mesh.name, context.mesh.origin, advice)


def tell_refusals(context: Context) -> None:
    """MP701 for what is not about single calls."""
    _tell_foreign(context)
    _tell_identities(context)
    _tell_tokens(context)
    _tell_egress(context)
    for rule in context.mesh.rules:
        _tell_rule(context, rule)


def tell_unjudged(context: Context, rows: Iterable[Row], doors: Doors) -> None:
    """MP701 at each rule that speaks of requests of callers who have no door: a listener would let in all of them."""
    for row in rows:
        for identity, may in judged_at_doors(context, row):
            if any(identity in door.callers for door in doors.of(row.service, row.port)):
                continue
            for rule in may.unjudgeable or (*may.allowed, *may.denied):
                place = f"{row.service.name}:{row.port.workload}"
                reason = f"no proxy of App Mesh can judge what `{identity.uri}` may ask of `{place}` by it"
                error = NotExpressibleError(_feature(rule), reason, advised(context, row, "allow it whole"))
                context.findings.unsupported(str(rule.id), rule.origin, error)


def tell_undeclared(context: Context, rows: Sequence[Row]) -> None:
    """Losses where callers without identity come to a service: no listener is for them at ports of no name.

    MP701 where the policy wants those without TLS: nothing at all is said of them.
    """
    for service in context.mesh.services:
        own = [row for row in rows if row.service.name == service.name]
        found = effective_policy(context.mesh.mtls, service.name, service.namespace, _NO_PORT, context.day)
        mode = MtlsMode.STRICT if found is None else found.mode
        if found is not None and mode is MtlsMode.DISABLED and own:
            reason = "no listener is at ports that are not declared, so none takes plaintext there"
            advice = f"say `mtls disabled` of its ports, such as `{service.name}:{service.ports[0].name}`"
            error = NotExpressibleError(Feature.MTLS_MODES, reason, advice)
            context.findings.unsupported(str(service.name), found.origin, error)
        elif (own and mode is MtlsMode.PERMISSIVE) or is_observed(context.mesh, service, context.day):
            ports = disjunction(tuple(Test(Port(), Exact(str(row.port.workload))) for row in own))
            message, subject = "no listener is at ports that are not declared", str(service.name)
            region = negation(ports)
            context.findings.lose(
                Loss(Feature.MTLS_PORTS, Direction.STRICTER, subject, message, service.origin, region)
            )
    for gateway in context.mesh.gateways:
        if is_observed(context.mesh, gateway, context.day):
            ports = disjunction(tuple(Test(Port(), Exact(str(port.workload))) for port in gateway.ports))
            message, subject = "no listener is at ports that are not declared", str(gateway.name)
            region = negation(ports)
            context.findings.lose(
                Loss(Feature.MTLS_PORTS, Direction.STRICTER, subject, message, gateway.origin, region)
            )


def _feature(rule: AuthzRule) -> Feature:
    return {Effect.ALLOW: Feature.ALLOW, Effect.DENY: Feature.DENY, Effect.ASK: Feature.ASK}[rule.effect]


def _tell_foreign(context: Context) -> None:
    workloads: tuple[Service | Gateway, ...] = (*context.mesh.services, *context.mesh.gateways)
    for node in workloads:
        if node.default_allow:
            reason = "what no rule decides is allowed there, which only foreign files can say"
            error = NotExpressibleError(Feature.FOREIGN_FILES, reason)
            context.findings.unsupported(str(node.name), node.origin, error)
    if context.mesh.aliases:
        reason = "its listeners compare names as they stand, and trust the authority of one domain"
        error = NotExpressibleError(Feature.TRUST_ALIASES, reason, "leave the aliases out")
        context.findings.unsupported(context.mesh.name, context.mesh.origin, error)


def _tell_identities(context: Context) -> None:
    """What a gateway may is judged at its routes, so it may share its name with nobody who is judged elsewhere.

    Whoever is called shows a certificate of the mesh's own authority: callers trust no other.
    """
    own = context.mesh.trust_domain
    for service in context.mesh.services:
        if service.ports and service.identity.trust_domain != own:
            reason = f"callers trust the authority of `{own}` alone, and `{service.identity.uri}` is of another"
            error = NotExpressibleError(Feature.FOREIGN_TRUST, reason, "give it an identity of the mesh")
            context.findings.unsupported(str(service.name), service.origin, error)
    for gateway in context.mesh.gateways:
        for service in context.mesh.services:
            if service.identity == gateway.identity:
                reason = f"it has the identity of `{service.name}`, so no listener can tell them apart"
                error = NotExpressibleError(Feature.GATEWAY, reason, "give it an account of its own")
                context.findings.unsupported(str(gateway.name), gateway.origin, error)


def _tell_tokens(context: Context) -> None:
    """MP701 where a token would go on that is to be taken off: who is observed lets in whoever brings one."""
    stripped = {one.name for one in context.mesh.issuers if one.is_stripped}
    for service in context.mesh.services:
        judged = (port for port in service.ports if not context.is_handed(service, port))
        if stripped & {*service.accepts} and any(port.layer is Layer.HTTP for port in judged):
            reason = "no proxy of it takes tokens off what goes on"
            error = NotExpressibleError(Feature.TOKEN_STRIP, reason, "leave `strip` out, or do not accept the issuer")
            context.findings.unsupported(str(service.name), service.origin, error)


def _tell_egress(context: Context) -> None:
    if context.mesh.egress is Egress.CLOSED:
        reason = "that callers reach nothing outside is kept by their own proxies alone (`DROP_ALL`)"
        error = NotExpressibleError(Feature.EGRESS_CLOSED, reason)
        context.kept_by_callers(f"egress of {context.mesh.name}", context.mesh.origin, error)
    elif context.mesh.externals:
        reason = "what callers may reach outside is for all of the mesh to say, and then nothing is refused"
        error = NotExpressibleError(Feature.EXTERNAL, reason, "say `egress closed`")
        context.findings.unsupported(context.mesh.name, context.mesh.origin, error)


def _tell_rule(context: Context, rule: AuthzRule) -> None:
    is_logged = not rule.is_in_force(context.day) and not rule.is_enforced
    if is_logged and (rule.until is None or context.day <= rule.until):
        error = NotExpressibleError(Feature.AUDIT, "nothing logs what a rule would decide", "leave it out")
        context.kept_nowhere(str(rule.id), rule.origin, error, "audit")
