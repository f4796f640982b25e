"""Gateways of the Gateway API: their listeners as servers of the proxies that Istio makes for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.gateways import Server
from meshproof.targets.istio.lift.hosts import ANY
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.selection import GATEWAY_NAME
from meshproof.targets.istio.lift.values import mapping, mappings, number, origin_of, pairs, text, texts
from meshproof.targets.istio.lift.workloads import Role, Workload

_CONTROLLERS = frozenset(("istio.io/gateway-controller", "istio.io/unmanaged-gateway", "istio.io/mesh-controller"))
_NAME_LABEL = "kubernetes.io/metadata.name"
_ENDING = "gateway.istio.io/tls-terminate-mode"
_ENDINGS = frozenset(("MUTUAL", "OPTIONAL_MUTUAL", "ISTIO_MUTUAL"))


@dataclass(frozen=True, slots=True)
class KubeServer:
    """A listener at one workload. `source` is its Gateway, `listener` what is written."""

    workload: Workload
    server: Server
    source: KubeObject
    listener: MapNode

    def admits(self, namespace: str, kind: Kind, context: LiftContext) -> bool:
        """Whether routes of a kind in a namespace may attach to it; routes of the Gateway's namespace alone, if not
        said otherwise.
        """  # noqa: D205
        allowed = mapping(self.listener.get("allowedRoutes"))
        kinds = [text(one.get("kind")) for one in mappings(allowed.get("kinds"))]
        if kinds and kind.value not in kinds:
            return False
        where = mapping(allowed.get("namespaces"))
        match text(where.get("from")):
            case "All":
                return True
            case "Selector":
                return _selects(mapping(where.get("selector")), namespace, context)
            case _:
                return namespace == self.source.namespace


def _selects(selector: MapNode, namespace: str, context: LiftContext) -> bool:
    found = context.objects.get(Kind.NAMESPACE, "", namespace)
    labels = {_NAME_LABEL: namespace, **dict(() if found is None else found.labels)}
    if any(labels.get(key) != value for key, value in pairs(selector.get("matchLabels"))):
        return False
    return all(_expression_holds(one, labels) for one in mappings(selector.get("matchExpressions")))


def _expression_holds(one: MapNode, labels: dict[str, str]) -> bool:
    key = text(one.get("key")) or ""
    values = {found.value for found in texts(one.get("values"))}
    match text(one.get("operator")):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def read_kube_servers(context: LiftContext) -> tuple[KubeServer, ...]:
    """The listeners of all Gateways that are Istio's; waypoints stand before others and are none."""
    return tuple(
        KubeServer(workload, server, source, listener)
        for source in sorted(context.objects.of(Kind.KUBE_GATEWAY), key=lambda one: one.age_key)
        if _is_ours(source, context)
        for workload in _workloads(source, context)
        for listener, server in _servers(source)
    )


def _is_ours(source: KubeObject, context: LiftContext) -> bool:
    found = context.objects.get(Kind.GATEWAY_CLASS, "", text(source.spec.get("gatewayClassName")) or "")
    return found is None or text(found.spec.get("controllerName")) in _CONTROLLERS


def _workloads(source: KubeObject, context: LiftContext) -> Iterator[Workload]:
    """The pods that are made for it, or those of the Service that its address names."""
    named = [text(one.get("value")) or "" for one in mappings(source.spec.get("addresses"))]
    for host in named:
        service = context.services.find(host, source.namespace)
        if service is not None:
            yield from context.behind(service.namespace, service.name)
    for workload in context.workloads:
        is_made = workload.namespace == source.namespace and workload.label(GATEWAY_NAME) == source.name
        if is_made and workload.role is Role.GATEWAY:
            yield workload


def _servers(source: KubeObject) -> Iterator[tuple[MapNode, Server]]:
    for one in mappings(source.spec.get("listeners")):
        port = number(one.get("port"))
        if port is None:
            continue
        name = text(one.get("name")) or f"port-{port}"
        protocol = (text(one.get("protocol")) or "HTTP").upper()
        tls = mapping(one.get("tls"))
        is_passthrough = text(tls.get("mode")) == "Passthrough"
        mode = "PASSTHROUGH" if is_passthrough else _ending(tls) if protocol in {"HTTPS", "TLS"} else None
        frontend = mapping(tls.get("frontendValidation"))
        authorities = [text(found.get("name")) for found in mappings(frontend.get("caCertificateRefs"))]
        certificates = [text(found.get("name")) for found in mappings(tls.get("certificateRefs"))]
        yield (
            one,
            Server(
                gateway=listener_name(source, name),
                namespace=source.namespace,
                port=port,
                name=name,
                protocol=protocol,
                hosts=((ANY, (text(one.get("hostname")) or ANY).lower()),),
                tls_mode="MUTUAL" if mode == "SIMPLE" and authorities else mode,
                certificate=next(iter(certificates), None),
                client_ca=next(iter(authorities), None),
                redirects_to_https=False,
                origin=origin_of(one),
            ),
        )


def _ending(tls: MapNode) -> str:
    """How TLS is ended: Istio's option, else without a look at clients."""
    said = dict(pairs(tls.get("options"))).get(_ENDING)
    return said if said in _ENDINGS else "SIMPLE"


def listener_name(source: KubeObject, listener: str) -> str:
    """The name under which routes bind to a listener; no VirtualService can write it."""
    return f"{source.full_name}/{listener}"
