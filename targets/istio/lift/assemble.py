"""The lifted mesh, put together from its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshproof.compiler.ir.entities import Authorizer, Gateway, Layer, Service
from meshproof.compiler.ir.mesh import Mesh, PathMode
from meshproof.compiler.ir.names import AuthorizerName, NodeName
from meshproof.targets.common.callers import Identities
from meshproof.targets.istio.lift.admission import Verdict
from meshproof.targets.istio.lift.authorization import Authorization, Surroundings, lift_authorization
from meshproof.targets.istio.lift.client_tls import where_identities_count
from meshproof.targets.istio.lift.closed_namespaces import lift_namespaces
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.domains_in_play import tells_aliases_apart
from meshproof.targets.istio.lift.foreign import lift_foreign
from meshproof.targets.istio.lift.mesh_settings import MeshSettings, Provider
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.parts import Edge, RoutingPart
from meshproof.targets.istio.lift.peer_authentication import lift_mtls
from meshproof.targets.istio.lift.proxy_annotations import trusted_proxies
from meshproof.targets.istio.lift.request_authentication import Tokens, lift_tokens
from meshproof.targets.istio.lift.workloads import Role, Workload

_EVERY_LAYER = (Layer.HTTP, Layer.TCP)

# Who injects proxies, and what they and their agents answer by themselves, is in no manifest (istio.md, foot-gun 29).
_PREMISE = "every pod has its proxy, and ports 15020, 15021 and 15090 are the proxy's own"
_OF_PROXIES = (15000, 15001, 15004, 15006, 15020, 15021, 15053, 15090)


def assemble(context: LiftContext, verdicts: dict[KubeObject, Verdict], routing: RoutingPart) -> Mesh:
    """The mesh that the objects make. Every workload is a node, but waypoints, which stand before others."""
    settings = context.settings
    workloads = tuple(one for one in context.workloads if one.role is not Role.WAYPOINT)
    handshakes = lift_mtls(context, verdicts)
    tokens = lift_tokens(context, verdicts)
    identities = Identities((one.name, one.identity(settings.trust_domain).uri) for one in workloads)
    authorization = lift_authorization(context, Surroundings(identities, tokens, verdicts, routing.nameless))
    statements = (*handshakes.statements, *routing.mtls)
    doubts = where_identities_count(routing.client_tls, statements, context)
    uncertain = (*handshakes.unknown, *tokens.unknown, *lift_foreign(context), *doubts)
    rules = (*authorization.rules, *uncertain, *routing.rules)
    is_plain = not tells_aliases_apart(context)
    sidecars = (one for one in workloads if one.role is Role.SIDECAR)
    gateways = (one for one in workloads if one.role is Role.GATEWAY)
    nodes = _Nodes(settings, authorization, tokens, {edge.node: edge for edge in routing.edges}, dict(routing.versions))
    return Mesh(
        name="istio",
        language=1,
        trust_domain=settings.trust_domain,
        namespace=None,
        origin=settings.origin,
        aliases=tuple(sorted(settings.bundle[1:])) if is_plain else (),
        trusts=tuple(sorted({*settings.trusts, *(() if is_plain else settings.bundle[1:])} - {settings.trust_domain})),
        egress=routing.egress,
        namespaces=lift_namespaces(context, verdicts),
        services=tuple(sorted((nodes.service(one) for one in sidecars), key=lambda one: one.name)),
        gateways=tuple(sorted((nodes.gateway(one) for one in gateways), key=lambda one: one.name)),
        externals=tuple(sorted(routing.externals, key=lambda one: one.name)),
        issuers=tokens.issuers,
        authorizers=tuple(sorted(map(_authorizer, settings.providers), key=lambda one: one.name)),
        rules=tuple(sorted(rules, key=lambda rule: rule.id)),
        routes=tuple(sorted(routing.routes, key=lambda route: route.id)),
        mtls=tuple(sorted(statements, key=lambda one: repr(one.scope))),
        paths=PathMode(settings.path_mode.value),
        premises=(_PREMISE,),
        proxy_ports=_OF_PROXIES,
    )


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Makes nodes of workloads, with what the policies say of them."""

    settings: MeshSettings
    authorization: Authorization
    tokens: Tokens
    edges: dict[NodeName, Edge]
    versions: dict[NodeName, tuple[str, ...]]

    def service(self, workload: Workload) -> Service:
        """A workload with a sidecar, or without any proxy: that one refuses nothing."""
        known = workload.node if isinstance(workload.node, Service) else self._service(workload)
        return replace(
            known,
            tags=(),
            calls=(),
            observe=None,
            accepts=self.tokens.accepts.get(workload.name, ()),
            default_allow=self._default(workload),
        )

    def _service(self, workload: Workload) -> Service:
        own = workload.name.rpartition("/")[2]
        return Service(
            name=workload.name,
            namespace=workload.namespace,
            platform_name=workload.services[0].name if workload.services else own,
            account=workload.account,
            identity=workload.identity(self.settings.trust_domain),
            labels=workload.labels,
            ports=workload.ports,
            origin=workload.origin,
            versions=self.versions.get(workload.name, ()),
            is_account_known=workload.is_account_known,
        )

    def gateway(self, workload: Workload) -> Gateway:
        """A gateway, as its `Gateway` objects make it."""
        known = workload.node if isinstance(workload.node, Gateway) else self._gateway(workload)
        edge = self.edges.get(workload.name)
        if edge is not None:
            known = replace(
                known, ports=edge.ports, hosts=edge.hosts, certificate=edge.certificate, client_ca=edge.client_ca
            )
        return replace(
            known,
            trusted_proxies=trusted_proxies(workload, self.settings.trusted_proxies),
            accepts=self.tokens.accepts.get(workload.name, ()),
            default_allow=self._default(workload),
        )

    def _gateway(self, workload: Workload) -> Gateway:
        return Gateway(
            name=workload.name,
            namespace=workload.namespace,
            account=workload.account,
            identity=workload.identity(self.settings.trust_domain),
            labels=workload.labels,
            hosts=(),
            ports=workload.ports,
            origin=workload.origin,
            are_ports_known=bool(workload.services),
            is_account_known=workload.is_account_known,
        )

    def _default(self, workload: Workload) -> tuple[Layer, ...]:
        return () if workload.name in self.authorization.closed else _EVERY_LAYER


def _authorizer(provider: Provider) -> Authorizer:
    return Authorizer(
        name=AuthorizerName(provider.name),
        address=provider.address,
        protocol=provider.protocol,
        timeout_ms=provider.timeout_ms,
        origin=provider.origin,
        fails_open=provider.fails_open,
    )
