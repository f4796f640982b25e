"""All hosts that the mesh knows, and which workloads listen where behind each of their ports."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from meshproof.compiler.ir.entities import External, Gateway, Layer, Protocol, Service, ServicePort
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import UNKNOWN_WORKLOAD
from meshproof.targets.istio.lift.hosts import Exports, covers, default_exports, exports_to, is_wild
from meshproof.targets.istio.lift.kube_services import KubePort, KubeService
from meshproof.targets.istio.lift.service_entries import Entry, read_entries
from meshproof.targets.istio.lift.values import EMPTY, mapping
from meshproof.targets.istio.lift.workloads import Workload, ports_behind

_EXPORT_TO = "networking.istio.io/exportTo"


@dataclass(frozen=True, slots=True)
class HostPort:
    """A port that callers dial."""

    number: int
    layer: Layer


@dataclass(frozen=True, slots=True)
class End:
    """Where a request to a port of a host arrives: a node, and the port at which it listens."""

    node: NodeName
    port: int
    workload: Workload | None


@dataclass(frozen=True, slots=True)
class KnownHost:
    """A host. `label` is its name for people, `namespace` that of the object that declares it.

    `is_resolvable`: that files show what stands behind it.
    """

    name: str
    label: str
    namespace: str
    ports: tuple[HostPort, ...]
    exports: Exports
    service: KubeService | None
    entry: Entry | None
    workloads: tuple[Workload, ...]
    external: External | None
    origin: Origin

    @property
    def is_external(self) -> bool:
        """Whether it is outside of the mesh, so that no caller shows an identity there."""
        return self.entry is not None and self.entry.is_external

    def port(self, number: int) -> HostPort | None:
        """The port that callers dial as that number."""
        return next((port for port in self.ports if port.number == number), None)

    def ends(self, number: int) -> tuple[End, ...]:
        """Where requests to a port arrive."""
        if self.external is not None:
            return (End(self.external.name, arriving_at(self.external, number), None),)
        found = ((one, self._listening(one, number)) for one in self.workloads)
        return tuple(End(one.name, listening, one) for one, listening in found if listening is not None)

    def _listening(self, workload: Workload, number: int) -> int | None:
        if workload.node is not None:
            return next((port.workload for port in workload.node.ports if port.number == number), None)
        if self.entry is not None:
            return next((port.workload for port in self.entry.ports if port.number == number), None)
        if self.service is None:
            return None
        port = self.service.port(number)
        return None if port is None else listening_port(self.service, port, workload)


def arriving_at(external: External, number: int) -> int:
    """The number that a request has at what is outside, for the one that its caller dials."""
    return next((port.workload for port in external.ports if port.number == number), number)


def listening_port(service: KubeService, port: KubePort, workload: Workload) -> int | None:
    """The number at which a workload listens for a port of a Service; None where a name leads to no container's."""
    if isinstance(port.target, int):
        return port.target
    spec = EMPTY if workload.template is None else mapping(workload.template.get("spec"))
    found = ports_behind((replace(service, ports=(port,)),), spec)
    return found[0].workload if found else None


_CLOSE = 0.9
"""How alike a misspelt host and the one that is meant are."""


@dataclass(slots=True)
class Registry:
    """The hosts by name. `unknown` are hosts that routes lead to and that no file declares."""

    context: LiftContext
    hosts: dict[str, tuple[KnownHost, ...]]
    entries: tuple[Entry, ...]
    unknown: dict[str, External] = field(default_factory=dict)
    _wild: tuple[str, ...] | None = field(default=None, repr=False, compare=False)

    def find(self, host: str, namespace: str) -> KnownHost | None:
        """The host that a proxy in the namespace knows by that name: the one of its own namespace, else the oldest.

        A name that is not declared itself may be one that a wildcard takes.
        """
        visible = [one for one in self.hosts.get(host, ()) if one.exports.reach(namespace)]
        if not visible and not is_wild(host):
            wild = [name for name in self._wild_names() if covers(name, host)]
            for name in sorted(wild, key=len, reverse=True):
                visible.extend(one for one in self.hosts[name] if one.exports.reach(namespace))
        own = [one for one in visible if one.namespace == namespace]
        return next(iter(own or visible), None)

    def covered_by(self, pattern: str) -> tuple[KnownHost, ...]:
        """The hosts of which the pattern takes every name."""
        names = (name for name in self.hosts if covers(pattern, name)) if is_wild(pattern) else (pattern,)
        return tuple(one for name in names for one in self.hosts.get(name, ()))

    def _wild_names(self) -> tuple[str, ...]:
        if self._wild is None:
            self._wild = tuple(name for name in self.hosts if is_wild(name))
        return self._wild

    def _report_misspelt(self, host: str, origin: Origin, subject: str) -> None:
        """A finding if the host is almost one that files declare. Others are declared elsewhere more often than not."""
        near = get_close_matches(host, self.hosts, n=1, cutoff=_CLOSE)
        if near:
            message = f"requests are sent to `{host}`, which no file declares"
            advice = f"is `{near[0]}` meant? Istio answers 503 if there is no such host"
            self.context.findings.add(UNKNOWN_WORKLOAD, message, subject, origin, advice=advice)

    def undeclared(self, host: str, port: int, origin: Origin, subject: str) -> External:
        """What stands for a host that no file declares: something outside of what was read, that speaks anything."""
        found = self.unknown.get(host)
        if found is None:
            self._report_misspelt(host, origin, subject)
            found = External(NodeName(host), (host,), (), origin)
        if all(known.number != port for known in found.ports):
            spoken = ServicePort(f"port-{port}", Protocol.TCP, Layer.SNIFFED, port, port, origin)
            found = self.unknown[host] = replace(found, ports=(*found.ports, spoken))
        return found

    @property
    def all(self) -> tuple[KnownHost, ...]:
        """Every host."""
        return tuple(one for found in self.hosts.values() for one in found)


def read_registry(context: LiftContext) -> Registry:
    """The hosts of Services and ServiceEntries; where both declare one, the Service comes first."""
    entries = read_entries(context)
    found: dict[str, list[KnownHost]] = {}
    for service in context.services.services:
        host = _of_service(service, context)
        found.setdefault(host.name, []).append(host)
    for workload in context.workloads:
        if workload.node is not None:
            host = _of_node(workload, workload.node, context)
            found.setdefault(host.name, []).append(host)
    for entry in entries:
        for name in entry.hosts:
            found.setdefault(name, []).append(_of_entry(name, entry))
    return Registry(context, {name: tuple(hosts) for name, hosts in found.items()}, entries)


def _of_service(service: KubeService, context: LiftContext) -> KnownHost:
    name = service.host(context.services.cluster_domain)
    workloads = context.behind(service.namespace, service.name)
    said = dict(service.source.annotations).get(_EXPORT_TO, "")
    default = default_exports(context.settings.config.get("defaultServiceExportTo"))
    external = None if workloads else External(NodeName(service.full_name), (name,), (), service.origin)
    return KnownHost(
        name=name,
        label=service.full_name,
        namespace=service.namespace,
        ports=tuple(HostPort(port.number, port.spoken.layer) for port in service.ports),
        exports=exports_to((one.strip() for one in said.split(",") if one.strip()), service.namespace, default),
        service=service,
        entry=None,
        workloads=workloads,
        external=external,
        origin=service.origin,
    )


def _of_node(workload: Workload, node: Service | Gateway, context: LiftContext) -> KnownHost:
    """The Service of a node that is known from elsewhere."""
    own = node.platform_name if isinstance(node, Service) else node.name.rpartition("/")[2]
    return KnownHost(
        name=f"{own}.{node.namespace}.svc.{context.services.cluster_domain}",
        label=node.name,
        namespace=node.namespace,
        ports=tuple(HostPort(port.number, port.layer) for port in node.ports),
        exports=Exports(None),
        service=None,
        entry=None,
        workloads=(workload,),
        external=None,
        origin=workload.origin,
    )


def _of_entry(name: str, entry: Entry) -> KnownHost:
    return KnownHost(
        name=name,
        label=entry.source.full_name if entry.external is None else entry.external.name,
        namespace=entry.source.namespace,
        ports=tuple(HostPort(port.number, port.layer) for port in entry.ports),
        exports=entry.exports,
        service=None,
        entry=entry,
        workloads=entry.workloads,
        external=entry.external,
        origin=entry.source.origin,
    )
