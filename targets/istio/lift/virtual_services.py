"""VirtualService objects as tables of routes (pilot/pkg/networking/core/route/route.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.routing import Retry, Settings
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.delegates import merged_rules
from meshproof.targets.istio.lift.findings import BAD_FIELD
from meshproof.targets.istio.lift.hosts import MESH, default_exports, exports_of, full_host
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.regex_rewrites import regex_rewrite_of
from meshproof.targets.istio.lift.route_actions import answer_of, copies_of, redirect_of, sendings_of
from meshproof.targets.istio.lift.route_conditions import Conditions, gateway_name, read_matches, tcp_match, tls_match
from meshproof.targets.istio.lift.route_model import Match, RouteRule, RouteTable, Unsettled
from meshproof.targets.istio.lift.route_settings import default_retry, settings_of
from meshproof.targets.istio.lift.values import mappings, origin_of, text, texts


def read_virtual_services(context: LiftContext) -> tuple[RouteTable, ...]:
    """The tables of all VirtualServices that have hosts, oldest first; delegates are merged into who names them."""
    reader = _Reader(context)
    objects = sorted(context.objects.of(Kind.VIRTUAL_SERVICE), key=lambda one: one.age_key)
    return tuple(reader.table(one) for one in objects if texts(one.spec.get("hosts")))


class _Reader:
    def __init__(self, context: LiftContext) -> None:
        self._context = context
        self._domain = context.services.cluster_domain
        self._exports = default_exports(context.settings.config.get("defaultVirtualServiceExportTo"))
        self._conditions = Conditions(has_joined_headers=context.settings.has_joined_headers)

    def table(self, source: KubeObject) -> RouteTable:
        spec, namespace = source.spec, source.namespace
        hosts = (full_host(one.value, namespace, self._domain) for one in texts(spec.get("hosts")))
        gateways = tuple(dict.fromkeys(gateway_name(one.value, namespace) for one in texts(spec.get("gateways"))))
        return RouteTable(
            source=source,
            hosts=tuple(dict.fromkeys(hosts)),
            gateways=gateways or (MESH,),
            exports=exports_of(spec.get("exportTo"), namespace, self._exports),
            http=tuple(self._http(source)),
            opaque_tls=tuple(self._connections(source, "tls", tls_match)),
            tcp=tuple(self._connections(source, "tcp", tcp_match)),
        )

    def _http(self, source: KubeObject) -> Iterator[RouteRule]:
        for index, rule in enumerate(mappings(source.spec.get("http"))):
            place = f"{source.full_name}[{index}]"
            if not isinstance(delegate := rule.get("delegate"), MapNode):
                yield self._http_rule(rule, place, source.namespace)
                continue
            other = self._delegate(delegate, source)
            if other is None:
                continue
            for inner, merged in merged_rules(rule, mappings(other.spec.get("http"))):
                yield self._http_rule(merged, f"{other.full_name}[{inner}] of {place}", other.namespace)

    def _delegate(self, delegate: MapNode, source: KubeObject) -> KubeObject | None:
        """The VirtualService that is named, None where there is none that the root may use: the rule then vanishes."""
        namespace = text(delegate.get("namespace")) or source.namespace
        name = text(delegate.get("name")) or ""
        found = self._context.objects.get(Kind.VIRTUAL_SERVICE, namespace, name)
        if found is None or texts(found.spec.get("hosts")):
            message = f"the delegate `{namespace}/{name}` of `{source.full_name}` is no VirtualService without hosts"
            advice = "the rule that names it does nothing: add it, or mend the name"
            self._context.findings.add(BAD_FIELD, message, source.full_name, origin_of(delegate), advice=advice)
            return None
        exports = exports_of(found.spec.get("exportTo"), namespace, self._exports)
        return found if exports.reach(source.namespace) else None

    def _http_rule(self, rule: MapNode, place: str, namespace: str) -> RouteRule:
        origin = origin_of(rule)

        def read(one: MapNode) -> Match:
            return self._conditions.http_match(one, namespace)

        redirect = redirect_of(rule.get("redirect"))
        unsettled: list[Unsettled] = []
        if isinstance(redirect, Unsettled):
            unsettled.append(redirect)
            redirect = None
        return RouteRule(
            place=place,
            namespace=namespace,
            matches=read_matches(rule.get("match"), origin, read),
            sendings=sendings_of(rule.get("route"), namespace, self._domain),
            redirect=redirect,
            answer=answer_of(rule.get("directResponse")),
            settings=settings_of(rule, self._default_retry(origin)),
            copies=copies_of(rule, namespace, self._domain),
            unsettled=tuple(unsettled),
            origin=origin,
            regex=regex_rewrite_of(rule),
        )

    def _default_retry(self, origin: Origin) -> Retry | None:
        return default_retry(self._context.settings.config, origin)

    def _connections(
        self, source: KubeObject, section: str, read: Callable[[MapNode, str], Match]
    ) -> Iterator[RouteRule]:
        for index, rule in enumerate(mappings(source.spec.get(section))):
            origin = origin_of(rule)
            yield RouteRule(
                place=f"{source.full_name}[{section}-{index}]",
                namespace=source.namespace,
                matches=read_matches(rule.get("match"), origin, lambda one: read(one, source.namespace)),
                sendings=sendings_of(rule.get("route"), source.namespace, self._domain),
                redirect=None,
                answer=None,
                settings=Settings(),
                copies=(),
                unsettled=(),
                origin=origin,
            )
