"""Externals that are called through a gateway (`via`): the gateway judges, by the caller's identity.

Senders hand the request to the gateway over mTLS, under the external's name as SNI; the gateway sends it on, and starts
TLS where the external's port says `originate`. TLS of the caller's own goes through untouched, inside that of the mesh.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, External, Gateway, Layer, Protocol, ServicePort, SourceSet
from meshproof.compiler.ir.matchers import Exact, Present
from meshproof.compiler.ir.mesh import Egress
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.predicate import Always, Host, Sni, SourceIdentity, Test, reads_http
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.names import mangle
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.callers import Calls
from meshproof.targets.istio.clauses import Clause, Literal
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.model import IstioObject, Piece
from meshproof.targets.istio.route_action import NO_RETRIES
from meshproof.targets.istio.service_entry import exported_to, namespaces_in, wrong_from
from meshproof.targets.istio.workloads import Judgement, is_emitted, observation, spoken_ports


@dataclass(frozen=True, slots=True)
class Relay:
    """An external, its port, and the port of the gateway at which requests to it are judged."""

    external: External
    port: ServicePort
    gateway: Gateway
    at: ServicePort

    @property
    def is_opaque(self) -> bool:
        """Whether the caller's own TLS goes through untouched: the gateway then sees connections."""
        return self.port.layer is Layer.TCP


def relays(context: Context, gateway: Gateway) -> tuple[Relay, ...]:
    """The externals that are called through the gateway, as far as Istio can; see `tell_relays`."""
    found = (_relay(gateway, external) for external in context.relayed(gateway.name))
    return tuple(one for one in found if isinstance(one, Relay))


def tell_relays(context: Context, gateway: Gateway) -> None:
    """MP701 at every external that Istio cannot call through the gateway."""
    for external in context.relayed(gateway.name):
        found = _relay(gateway, external)
        if not isinstance(found, NotExpressibleError) and observation(context.mesh, gateway, context.day) is not None:
            reason = f"`{gateway.name}` is observed, so it refuses nothing of what goes through it"
            found = _refusal(reason, "call it through a gateway that nothing observes")
        if isinstance(found, NotExpressibleError):
            context.findings.unsupported(str(external.name), external.origin, found)
        elif gateway.accepts:
            _tell_tokens(context, external, gateway)


def _tell_tokens(context: Context, external: External, gateway: Gateway) -> None:
    """A gateway that accepts tokens looks at those of whoever goes through it; the external would not."""
    message = f"`{gateway.name}` refuses calls that bring a token which it does not accept"
    loss = Loss(Feature.TOKEN, Direction.STRICTER, str(external.name), message, external.origin, is_of_tokens=True)
    context.findings.lose(loss)


def _relay(gateway: Gateway, external: External) -> Relay | NotExpressibleError:
    if len(external.ports) != 1:
        return _refusal("a gateway cannot tell by which of its ports it was called", "declare one external a port")
    port = external.ports[0]
    if port.protocol is Protocol.TCP:
        return _refusal("a gateway knows which host is meant by its name, and plain TCP has none", "leave `via` away")
    if any(host.startswith("*") for host in external.hosts):
        return _refusal("a gateway needs the name of the host that it calls", "write out the hosts")
    if own := [name for name in external.hosts if any(_takes(host, name) for host in gateway.hosts)]:
        return _refusal(f"`{gateway.name}` answers to `{own[0]}` itself", "take another gateway for the way out")
    ends = [one for one in gateway.ports if one.protocol in {Protocol.HTTPS, Protocol.TLS}]
    if not ends:
        return _refusal(
            f"`{gateway.name}` has no port with TLS for it", "declare one: `port tls 443 -> 8443 passthrough`"
        )
    return Relay(external, port, gateway, ends[0])


def _takes(host: str, name: str) -> bool:
    """Whether a gateway with the host answers to the name: then routes for the one are routes for the other."""
    return host in {name, "*"} or (host.startswith("*") and name.endswith(host[1:]))


def _refusal(reason: str, advice: str) -> NotExpressibleError:
    return NotExpressibleError(Feature.EXTERNAL_OPERATIONS, reason, advice)


def relay_servers(context: Context, gateway: Gateway) -> list[Value]:
    """The servers of the gateway for its relays."""
    tell_relays(context, gateway)
    return [
        {
            "port": {
                "number": one.at.number,
                "name": f"via-{mangle(str(one.external.name), 40)}",
                "protocol": _protocol(one),
            },
            "hosts": [f"./{host}" for host in one.external.hosts],
            "tls": {"mode": "ISTIO_MUTUAL"},
        }
        for one in relays(context, gateway)
    ]


def _protocol(relay: Relay) -> str:
    return "TLS" if relay.is_opaque else "HTTPS"


def relay_judgements(context: Context, gateway: Gateway) -> tuple[Judgement, ...]:
    """The rules about the gateway's externals, at the gateway, for requests with their hosts."""
    found: list[Judgement] = []
    for relay in relays(context, gateway):
        names = tuple(Exact(host, ignore_case=True) for host in relay.external.hosts)
        offered = Literal(Sni(), tuple(Exact(host) for host in relay.external.hosts))
        narrowed = (offered,) if relay.is_opaque else (offered, Literal(Host(), names))
        for rule in (*context.mesh.rules, *_of_open_egress(context, relay)):
            speaks = bool(rule.operations) or reads_http(rule.when)
            if is_emitted(rule, context.day) and spoken_ports(rule, relay.external, is_speaking_http=speaks):
                at = (relay.at.workload,)
                called = relay.port.workload
                found.append(Judgement(rule, at, narrowed, is_relayed=True, is_opaque=relay.is_opaque, called=called))
    return tuple(found)


def _of_open_egress(context: Context, relay: Relay) -> tuple[AuthzRule, ...]:
    """What open egress says of an external, as a rule: whoever shows an identity may call it, as no rule refuses it."""
    if context.mesh.egress is not Egress.OPEN:
        return ()
    external = relay.external
    callers = SourceSet(
        Test(SourceIdentity(), Present()), has_internet=False, members=(), shared=(), text="authenticated"
    )
    return (
        AuthzRule(
            id=RuleId(str(external.name)),
            effect=Effect.ALLOW,
            sources=callers,
            destinations=(Destination(external.name, (relay.port.workload,)),),
            operations=(),
            when=Always(),
            origin=external.origin,
        ),
    )


def own_judgements(context: Context, gateway: Gateway, rule: AuthzRule, ports: tuple[int, ...]) -> list[Judgement]:
    """A rule about the gateway itself, where externals are called through it: it speaks of no request to them."""
    found = relays(context, gateway)
    hosts = tuple(Exact(host) for relay in found for host in relay.external.hosts)
    shared = tuple(port for port in ports if any(relay.at.workload == port for relay in found))
    others: Clause = (Literal(Sni(), hosts, is_positive=False),)
    parts = ((shared, others), (tuple(port for port in ports if port not in shared), ()))
    return [Judgement(rule, some, narrowed) for some, narrowed in parts if some]


def relay_objects(context: Context, calls: Calls) -> Iterator[IstioObject]:
    """The routes to and through the gateways, and how senders offer mTLS to them."""
    for gateway in context.mesh.gateways:
        found = relays(context, gateway)
        if not found:
            continue
        for relay in found:
            yield from _routes(context, relay, calls)
        host = context.service_host(gateway)
        subsets: Value = [_subset(relay, name) for relay in found for name in relay.external.hosts]
        kind = "DestinationRule"
        name = context.name(kind, gateway.namespace, str(gateway.name), gateway.origin)
        pieces = tuple(Piece(str(relay.external.name)) for relay in found)
        yield IstioObject(kind, gateway.namespace, name, {"host": host, "subsets": subsets}, pieces)


def _subset(relay: Relay, host: str) -> Value:
    tls: Value = {"mode": "ISTIO_MUTUAL", "sni": host}
    level: Value = {"port": {"number": relay.at.number}, "tls": tls}
    return {"name": mangle(host), "trafficPolicy": {"portLevelSettings": [level]}}


def _routes(context: Context, relay: Relay, calls: Calls) -> Iterator[IstioObject]:
    """One object a host: a route chooses the destination, and each host is one."""
    gateway, kind = relay.gateway, "VirtualService"
    visible = namespaces_in(context, relay.external, exported_to(context, relay.external, calls))
    end = wrong_from(context, relay.external, calls)
    for host in relay.external.hosts:
        text = f"{relay.external.name}-{host}" if len(relay.external.hosts) > 1 else str(relay.external.name)
        inward: Value = {
            "host": context.service_host(gateway),
            "subset": mangle(host),
            "port": {"number": relay.at.number},
        }
        outward: Value = {"host": host, "port": {"number": relay.port.number}}
        bound = context.names_of_gateway(gateway)
        spec: dict[str, Value] = {"hosts": [host], "gateways": ["mesh", bound], "exportTo": visible}
        to_gateway: dict[str, Value] = {"port": relay.port.number, "gateways": ["mesh"]}
        at_gateway: Value = {"port": relay.at.number, "gateways": [bound]}
        if relay.is_opaque:
            to_gateway["sniHosts"] = [host]
            spec["tls"] = [{"match": [to_gateway], "route": [{"destination": inward}]}]
            spec["tcp"] = [{"match": [at_gateway], "route": [{"destination": outward}]}]
        else:
            spec["http"] = [_forward(to_gateway, inward), _forward(at_gateway, outward)]
        context.claim_host(host, str(relay.external.name), relay.external.origin)
        name = context.name(kind, gateway.namespace, f"via-{text}", gateway.origin)
        yield IstioObject(kind, gateway.namespace, name, spec, (Piece(str(relay.external.name)),), end)


def _forward(match: Value, destination: Value) -> Value:
    return {"match": [match], "route": [{"destination": destination}], "retries": NO_RETRIES}
