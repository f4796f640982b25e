"""ServiceEntry objects: hosts that the mesh knows besides its Services, and what stands behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from meshproof.compiler.ir.entities import External, ServicePort
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.dsl.diagnostic import Label
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import NOT_MODELLED
from meshproof.targets.istio.lift.hosts import Exports, default_exports, exports_of
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.kube_services import spoken_at
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.values import mappings, number, origin_of, pairs, text, texts
from meshproof.targets.istio.lift.workloads import Workload


@dataclass(frozen=True, slots=True)
class Entry:
    """A ServiceEntry. `workloads` are what it selects, or what its endpoints are; else `external` stands for it.

    `ports` are by the number that callers dial.
    """

    source: KubeObject
    hosts: tuple[str, ...]
    ports: tuple[ServicePort, ...]
    exports: Exports
    is_external: bool
    workloads: tuple[Workload, ...]
    external: External | None


def read_entries(context: LiftContext) -> tuple[Entry, ...]:
    """The ServiceEntries, oldest first."""
    taken = {workload.name for workload in context.workloads}
    objects = sorted(context.objects.of(Kind.SERVICE_ENTRY), key=lambda one: one.age_key)
    entries = tuple(_entry(one, context, taken) for one in objects)
    _report_unshown(tuple(one.source for one in entries if one.external is not None and not one.is_external), context)
    return entries


def _report_unshown(sources: tuple[KubeObject, ...], context: LiftContext) -> None:
    """One finding for all objects that speak of workloads of the mesh which no file shows."""
    if sources:
        first, *others = sources
        what = f"`{first.full_name}`" if not others else f"`{first.full_name}` and {len(others)} more"
        message = f"what stands behind {what} is in the mesh, but no file shows it"
        labels = tuple(Label(one.origin.span, "nor what stands behind this") for one in others)
        advice = "add the files of it: until then nobody knows whom it lets in"
        context.findings.add(NOT_MODELLED, message, first.full_name, first.origin, advice=advice, others=labels)


def _entry(source: KubeObject, context: LiftContext, taken: set[NodeName]) -> Entry:
    spec = source.spec
    hosts = tuple(dict.fromkeys(lower_ascii(one.value) for one in texts(spec.get("hosts"))))
    ports = tuple(_ports(spec))
    is_external = text(spec.get("location")) != "MESH_INTERNAL"
    workloads = _selected(source, context) or _behind_endpoints(source, context)
    external = None
    if not workloads:
        external = External(_free_name(source, hosts, context, taken), hosts, _told_apart(ports), source.origin)
    return Entry(
        source=source,
        hosts=hosts,
        ports=ports,
        exports=exports_of(
            spec.get("exportTo"),
            source.namespace,
            default_exports(context.settings.config.get("defaultServiceExportTo")),
        ),
        is_external=is_external,
        workloads=workloads,
        external=external,
    )


def _told_apart(ports: tuple[ServicePort, ...]) -> tuple[ServicePort, ...]:
    """The ports, by the numbers that callers dial where two of them lead to one: requests name where they arrive."""
    if len({port.workload for port in ports}) == len(ports):
        return ports
    return tuple(replace(port, workload=port.number) for port in ports)


def _free_name(source: KubeObject, hosts: tuple[str, ...], context: LiftContext, taken: set[NodeName]) -> NodeName:
    """The name of what is known from elsewhere by the same hosts, else the object's."""
    known = next((one.name for one in context.externals if set(one.hosts) == set(hosts)), None)
    if known is not None:
        return known
    name = NodeName(source.full_name)
    if name in taken:
        name = NodeName(f"{name}.serviceentry")
    taken.add(name)
    return name


def _ports(spec: MapNode) -> Iterator[ServicePort]:
    for one in mappings(spec.get("ports")):
        own = number(one.get("number"))
        if own is None:
            continue
        spoken = spoken_at(own, text(one.get("name")) or "", text(one.get("protocol")))
        name = text(one.get("name")) or f"port-{own}"
        listening = number(one.get("targetPort")) or own
        yield ServicePort(name, spoken.protocol, spoken.layer, own, listening, origin_of(one))


def _selected(source: KubeObject, context: LiftContext) -> tuple[Workload, ...]:
    labels = pairs(source.spec.at("workloadSelector", "labels"))
    return context.selected(labels, source.namespace) if labels else ()


def _behind_endpoints(source: KubeObject, context: LiftContext) -> tuple[Workload, ...]:
    """The workloads of the Services that the endpoints name as their addresses, if all of them do."""
    found: dict[NodeName, Workload] = {}
    for endpoint in mappings(source.spec.get("endpoints")):
        address = text(endpoint.get("address")) or ""
        service = context.services.find(address, source.namespace) if "." in address else None
        if service is None:
            return ()
        found.update((one.name, one) for one in context.behind(service.namespace, service.name))
    return tuple(found.values())
