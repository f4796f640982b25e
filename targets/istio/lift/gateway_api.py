"""Routes of the Gateway API as tables of routes: for gateways and, with a Service as parent, for the mesh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import Always, disjunction
from meshproof.compiler.ir.routing import Settings
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import BAD_FIELD
from meshproof.targets.istio.lift.hosts import ANY, MESH, Exports
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.kube_filters import INVALID, Filtered, filtered, sending_of, timed
from meshproof.targets.istio.lift.kube_matches import RankedMatch, grpc_matches, http_matches, whole_path
from meshproof.targets.istio.lift.kube_servers import KubeServer
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.registry import Registry
from meshproof.targets.istio.lift.route_conditions import sni_test
from meshproof.targets.istio.lift.route_model import Match, RouteRule, RouteTable
from meshproof.targets.istio.lift.route_settings import default_retry
from meshproof.targets.istio.lift.values import mappings, number, origin_of, text, texts

PRODUCER, CONSUMER = 1, 2
_HTTP_KINDS = (Kind.HTTP_ROUTE, Kind.GRPC_ROUTE)
_KINDS = (*_HTTP_KINDS, Kind.TLS_ROUTE, Kind.TCP_ROUTE)
_GATEWAY_GROUP = "gateway.networking.k8s.io"


@dataclass(frozen=True, slots=True)
class _Parent:
    """What a route attaches to."""

    group: str
    kind: str
    namespace: str
    name: str
    section: str | None
    port: int | None


def read_kube_routes(
    context: LiftContext, registry: Registry, servers: tuple[KubeServer, ...]
) -> tuple[RouteTable, ...]:
    """A table for each route and parent, older routes first."""
    reader = _Reader(context, registry, servers)
    sources = sorted((one for kind in _KINDS for one in context.objects.of(kind)), key=lambda one: one.age_key)
    return tuple(table for order, source in enumerate(sources) for table in reader.tables(source, order))


class _Reader:
    def __init__(self, context: LiftContext, registry: Registry, servers: tuple[KubeServer, ...]) -> None:
        self._context = context
        self._registry = registry
        self._servers = servers

    def tables(self, source: KubeObject, order: int) -> Iterator[RouteTable]:
        hosts = tuple(dict.fromkeys(lower_ascii(one.value) for one in texts(source.spec.get("hostnames"))))
        http = tuple(self._http(source, order)) if source.kind in _HTTP_KINDS else ()
        plain = tuple(self._connections(source, hosts)) if source.kind not in _HTTP_KINDS else ()
        of_names = source.kind is Kind.TLS_ROUTE
        whole = RouteTable(
            source=source,
            hosts=hosts or (ANY,),
            gateways=(),
            exports=Exports(None),
            http=http,
            opaque_tls=plain if of_names else (),
            tcp=() if of_names else plain,
        )
        for one in mappings(source.spec.get("parentRefs")):
            parent = _parent(one, source)
            if (parent.group, parent.kind) == (_GATEWAY_GROUP, "Gateway"):
                yield from self._at_gateway(whole, parent)
            else:
                yield from self._in_mesh(whole, parent)

    def _at_gateway(self, whole: RouteTable, parent: _Parent) -> Iterator[RouteTable]:
        """The table at the listeners of a gateway that let the route attach."""
        found = [
            one
            for one in self._servers
            if (one.source.namespace, one.source.name) == (parent.namespace, parent.name)
            and parent.section in {None, one.server.name}
            and parent.port in {None, one.server.port}
            and one.admits(whole.source.namespace, whole.source.kind, self._context)
        ]
        names = tuple(dict.fromkeys(one.server.gateway for one in found))
        if names:
            yield replace(whole, gateways=names)

    def _in_mesh(self, whole: RouteTable, parent: _Parent) -> Iterator[RouteTable]:
        """The table for a host of the mesh: of the host's own namespace for all senders, else for its own alone."""
        hosts = self._hosts_of(parent)
        if not hosts:
            return
        is_producer = parent.namespace == whole.source.namespace
        yield replace(
            whole,
            hosts=hosts,
            gateways=(MESH,),
            exports=Exports(None) if is_producer else Exports(frozenset((whole.source.namespace,))),
            ports=None if parent.port is None else frozenset((parent.port,)),
            priority=PRODUCER if is_producer else CONSUMER,
        )

    def _hosts_of(self, parent: _Parent) -> tuple[str, ...]:
        match (parent.group, parent.kind):
            case ("", "Service"):
                return (f"{parent.name}.{parent.namespace}.svc.{self._context.services.cluster_domain}",)
            case ("networking.istio.io", "Hostname"):
                return (lower_ascii(parent.name),)
            case ("networking.istio.io", "ServiceEntry"):
                full = f"{parent.namespace}/{parent.name}"
                found = (one.hosts for one in self._registry.entries if one.source.full_name == full)
                return next(found, ())
            case _:
                return ()

    def _http(self, source: KubeObject, order: int) -> Iterator[RouteRule]:
        for index, rule in enumerate(mappings(source.spec.get("rules"))):
            found = filtered(rule, source, self._context)
            if found is None:
                message = f"a filter of `{source.full_name}` is none that Istio takes, so its rule is not in force"
                self._context.findings.add(BAD_FIELD, message, source.full_name, origin_of(rule))
                continue
            place = f"{source.full_name}[{index}]"
            matches = self._matches(source, rule)
            for number_, one in enumerate(matches):
                own = place if len(matches) == 1 else f"{place[:-1]}.{number_}]"
                yield self._rule(source, rule, own, one, found, (order, index, number_))

    def _matches(self, source: KubeObject, rule: MapNode) -> tuple[RankedMatch, ...]:
        read = grpc_matches if source.kind is Kind.GRPC_ROUTE else http_matches
        return read(rule, has_joined_headers=self._context.settings.has_joined_headers)

    def _rule(
        self,
        source: KubeObject,
        rule: MapNode,
        place: str,
        one: RankedMatch,
        found: Filtered,
        written: tuple[int, ...],
    ) -> RouteRule:
        origin = origin_of(rule)
        backends = mappings(rule.get("backendRefs"))
        sendings = tuple(sending_of(ref, source, self._context) for ref in backends)
        kept = tuple(sending for sending in sendings if sending.weight > 0)
        match = replace(one.match, path=whole_path()) if found.replaces_path else one.match
        return RouteRule(
            place=place,
            namespace=source.namespace,
            matches=(match,),
            sendings=kept if found.redirect is None else (),
            redirect=found.redirect,
            answer=INVALID if not kept and found.redirect is None else None,
            settings=timed(found.settings, rule, default_retry(self._context.settings.config, origin)),
            copies=found.copies,
            unsettled=(),
            origin=origin,
            rank=(*one.rank, *written),
        )

    def _connections(self, source: KubeObject, hosts: tuple[str, ...]) -> Iterator[RouteRule]:
        """The rules of a TLSRoute or TCPRoute: a connection goes to the backends of the first."""
        asked = disjunction(tuple(map(sni_test, hosts))) if hosts else Always()
        for index, rule in enumerate(mappings(source.spec.get("rules"))):
            origin: Origin = origin_of(rule)
            refs = (sending_of(ref, source, self._context) for ref in mappings(rule.get("backendRefs")))
            yield RouteRule(
                place=f"{source.full_name}[{index}]",
                namespace=source.namespace,
                matches=(Match(asked, None, origin),),
                sendings=tuple(one for one in refs if one.weight > 0),
                redirect=None,
                answer=None,
                settings=Settings(),
                copies=(),
                unsettled=(),
                origin=origin,
            )


def _parent(one: MapNode, source: KubeObject) -> _Parent:
    group = one.get("group")
    # The empty group is that of Services, and not the same as none.
    return _Parent(
        group=_GATEWAY_GROUP if group is None else text(group) or "",
        kind=text(one.get("kind")) or "Gateway",
        namespace=text(one.get("namespace")) or source.namespace,
        name=text(one.get("name")) or "",
        section=text(one.get("sectionName")),
        port=number(one.get("port")),
    )
