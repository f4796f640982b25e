"""Workloads that no file makes, and that files speak of all the same: of Services, policies and gateways.

Without them a folder of policies alone would mean nothing. What is guessed of them is marked: ports and accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from meshproof.compiler.backend.target import Pods
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.dsl.source import Span
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.kube_services import KubeServices
from meshproof.targets.istio.lift.membership import Membership, membership_of
from meshproof.targets.istio.lift.mesh_settings import MeshSettings
from meshproof.targets.istio.lift.objects import KubeObject, ObjectIndex
from meshproof.targets.istio.lift.selection import GATEWAY_NAME, attachment_of
from meshproof.targets.istio.lift.values import EMPTY, mapping, mappings, pairs, text, texts
from meshproof.targets.istio.lift.workloads import (
    DEFAULT_ACCOUNT,
    MANAGED,
    WAYPOINTS,
    Role,
    Workload,
    ports_behind,
)

Labels = tuple[tuple[str, str], ...]

POLICIES = (Kind.AUTHORIZATION_POLICY, Kind.PEER_AUTHENTICATION, Kind.REQUEST_AUTHENTICATION)
_NAMING = ("app.kubernetes.io/name", "app", "k8s-app", "name", "istio", "component")
_WAYPOINT_CLASS = "istio-waypoint"
_REMOTE_CLASS = "istio-remote"
_INSTALLED = {"ingressgateway", "egressgateway", "eastwestgateway"}


def with_inferred(
    workloads: tuple[Workload, ...], objects: ObjectIndex, services: KubeServices, settings: MeshSettings
) -> tuple[Workload, ...]:
    """The workloads, and those that are spoken of: gateways, what Services stand for, what policies select.

    A policy of the root namespace is for workloads of other namespaces, so its selector makes none.
    """
    found = _Found(workloads)
    for workload in _of_kube_gateways(objects):
        found.add(workload)
    for workload in _of_gateways(found.all, objects, services, settings):
        found.add(workload)
    served = {service.full_name for workload in found.all for service in workload.services}
    for service in services.services:
        if service.selector and service.full_name not in served:
            found.add(_plain(service.namespace, service.name, service.selector, objects, services, service.origin))
    for policy in (one for kind in POLICIES for one in objects.of(kind)):
        labels = attachment_of(policy).labels
        is_told = policy.namespace == settings.root_namespace
        if labels and not is_told and not any(one.has_labels(labels) for one in found.near(policy.namespace)):
            found.add(_plain(policy.namespace, _name_of(labels), labels, objects, services, policy.origin))
    return tuple(found.all)


def with_pods(
    workloads: tuple[Workload, ...], also: Iterable[Pods], objects: ObjectIndex, services: KubeServices
) -> tuple[Workload, ...]:
    """The workloads, and one for pods with exactly these labels, unless a file makes pods that have them all.

    Pods without any label are pods of their own.
    """
    found = _Found(workloads)
    for pods in also:
        labels = tuple(sorted(pods.labels))
        made = (one for one in found.near(pods.namespace) if not one.is_inferred)
        if not labels or not any(one.has_labels(labels) for one in made):
            nowhere = Origin(Span("", 0, 0))
            found.add(_plain(pods.namespace, _name_of(labels), labels, objects, services, nowhere))
    return tuple(found.all)


class _Found:
    """The workloads so far, in the order in which they were found, and those of each namespace."""

    def __init__(self, workloads: Iterable[Workload]) -> None:
        self.all: list[Workload] = []
        self._near: dict[str, list[Workload]] = {}
        self._names: set[NodeName] = set()
        for one in workloads:
            self._take(one)

    def near(self, namespace: str) -> list[Workload]:
        """Those of a namespace."""
        return self._near.get(namespace, [])

    def add(self, workload: Workload) -> None:
        """Add the workload, under a name that no other has; not what is there already."""
        if any(one.labels == workload.labels for one in self.near(workload.namespace)):
            return
        name, number = workload.name, 2
        while name in self._names:
            name = NodeName(f"{workload.name}.{number}")
            number += 1
        self._take(replace(workload, name=name))

    def _take(self, workload: Workload) -> None:
        self.all.append(workload)
        self._near.setdefault(workload.namespace, []).append(workload)
        self._names.add(workload.name)


def _plain(
    namespace: str, name: str, labels: Labels, objects: ObjectIndex, services: KubeServices, origin: Origin
) -> Workload:
    """A workload with a sidecar, of which the labels alone are certain."""
    fronts = services.selecting(namespace, labels)
    account = objects.get(Kind.SERVICE_ACCOUNT, namespace, name)
    return Workload(
        name=NodeName(f"{namespace}/{name}"),
        namespace=namespace,
        labels=labels,
        account=DEFAULT_ACCOUNT if account is None else account.name,
        ports=ports_behind(fronts, EMPTY),
        services=fronts,
        membership=membership_of(objects, namespace, EMPTY, EMPTY),
        role=_role_of(labels),
        origin=origin,
        is_inferred=True,
        is_account_known=False,
    )


def _role_of(labels: Labels) -> Role:
    """What such pods are by their labels: those that Istio gives to the gateways that it installs or makes."""
    given = dict(labels)
    if given.get(MANAGED) == WAYPOINTS:
        return Role.WAYPOINT
    is_gateway = given.get("istio") in _INSTALLED or GATEWAY_NAME in given
    return Role.GATEWAY if is_gateway else Role.SIDECAR


def _name_of(labels: Labels) -> str:
    """The name of the workload by its labels, as people give them; with the version, if that is one of them."""
    given = dict(labels)
    if not labels:
        return "unlabelled"
    name = next((given[key] for key in _NAMING if key in given), labels[0][1]) or labels[0][0]
    version = given.get("version")
    return f"{name}-{version}" if version else name


# --- gateways ------------------------------------------------------------------------------------


def _of_kube_gateways(objects: ObjectIndex) -> Iterator[Workload]:
    """The pods that Istio makes for each `Gateway` of the Gateway API, with an account of their own."""
    for one in objects.of(Kind.KUBE_GATEWAY):
        class_name = text(one.spec.get("gatewayClassName")) or ""
        is_named = any(text(address.get("type")) == "Hostname" for address in mappings(one.spec.get("addresses")))
        if class_name == _REMOTE_CLASS or is_named:
            continue  # it stands for a gateway that is there already
        is_waypoint = class_name == _WAYPOINT_CLASS
        name = one.name if is_waypoint else f"{one.name}-{class_name or 'istio'}"
        extra = pairs(one.spec.at("infrastructure", "labels"))
        yield Workload(
            name=NodeName(f"{one.namespace}/{name}"),
            namespace=one.namespace,
            labels=tuple(sorted((*extra, (GATEWAY_NAME, one.name)))),
            account=name,
            ports=(),
            services=(),
            membership=Membership.SIDECAR,
            role=Role.WAYPOINT if is_waypoint else Role.GATEWAY,
            origin=one.origin,
            is_inferred=True,
        )


def _of_gateways(
    known: list[Workload], objects: ObjectIndex, services: KubeServices, settings: MeshSettings
) -> Iterator[Workload]:
    """The pods of each selector of Istio's `Gateway` that no file makes: most are installed apart."""
    for one in objects.of(Kind.GATEWAY):
        labels = pairs(one.spec.get("selector"))
        if not labels or any(workload.has_labels(labels) for workload in known):
            continue
        namespace = _gateway_namespace(one, labels, objects, services, settings)
        given = dict(labels)
        is_installed = given.get("istio") in _INSTALLED
        name = f"istio-{given['istio']}" if is_installed else _name_of(labels)
        account = _mentioned_account(objects, namespace)
        is_known = is_installed or account is not None
        if account is None:
            account = f"{name}-service-account" if is_installed else name
        workload = _plain(namespace, name, labels, objects, services, one.origin)
        yield replace(
            workload,
            account=account,
            is_account_known=is_known,
            role=Role.GATEWAY,
            membership=Membership.SIDECAR,
        )


def _gateway_namespace(
    one: KubeObject, labels: Labels, objects: ObjectIndex, services: KubeServices, settings: MeshSettings
) -> str:
    """Where the pods are: where a Service or a policy selects them by these labels, else where Istio installs them."""
    for service in services.services:
        if service.selector and set(service.selector) & set(labels):
            return service.namespace
    places: Iterable[KubeObject] = (policy for kind in POLICIES for policy in objects.of(kind))
    for policy in places:
        if attachment_of(policy).labels == labels:
            return policy.namespace
    return settings.root_namespace if dict(labels).get("istio") in _INSTALLED else one.namespace


def _mentioned_account(objects: ObjectIndex, namespace: str) -> str | None:
    """The one account of the namespace that principals of policies name; None if they name none, or several."""
    found: set[str] = set()
    for policy in objects.of(Kind.AUTHORIZATION_POLICY):
        for rule in mappings(policy.spec.get("rules")):
            sources = (mapping(one.get("source")) for one in mappings(rule.get("from")))
            values = [one.value for source in sources for one in texts(source.get("principals"))]
            for value in values:
                parts = value.split("/")
                if parts[1:2] == ["ns"] and parts[2:4] == [namespace, "sa"] and "*" not in value:
                    found.add(parts[-1])
    return found.pop() if len(found) == 1 else None
