"""PeerAuthentications as statements about mTLS (ComposePeerAuthentication).

It begins with PERMISSIVE; the statements of mesh, namespace, workload and port follow, each the oldest of its level.
One with a selector in the root namespace is ignored, whatever the API's text says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.mtls import MeshScope, MtlsMode, MtlsPolicy, NamespaceScope, PortScope, ServiceScope
from meshproof.compiler.ir.names import Origin
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.admission import Verdict
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import COMPETING
from meshproof.targets.istio.lift.foreign import unsure_transport
from meshproof.targets.istio.lift.in_force import in_force_at
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.membership import Membership
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.selection import attachment_of
from meshproof.targets.istio.lift.unmodelled import unknown_object
from meshproof.targets.istio.lift.values import mapping, origin_of, text
from meshproof.targets.istio.lift.workloads import Role, Workload

_MODES = {"STRICT": MtlsMode.STRICT, "PERMISSIVE": MtlsMode.PERMISSIVE, "DISABLE": MtlsMode.DISABLED}


@dataclass(frozen=True, slots=True)
class Handshakes:
    """The statements, and rules for objects of which nobody knows whether they are in force."""

    statements: tuple[MtlsPolicy, ...]
    unknown: tuple[AuthzRule, ...]


_Selecting = tuple[tuple[tuple[str, str], ...], KubeObject]


def lift_mtls(context: LiftContext, verdicts: dict[KubeObject, Verdict]) -> Handshakes:
    """What holds for each workload that has a sidecar; nobody has an identity at what is outside of the mesh."""
    found = sorted(context.objects.of(Kind.PEER_AUTHENTICATION), key=lambda one: one.age_key)
    clean = [one for one in found if one not in verdicts]
    unsure = [(one, in_force_at(one, context)) for one in found if one in verdicts]
    uncertain = {workload.name for _, workloads in unsure for workload in workloads}
    uncertain.update(workload.name for workload in unsure_transport(context))
    statements = [*_for_mesh(clean, context), *_for_namespaces(clean, context)]
    selecting = _selecting(clean)
    for workload in context.workloads:
        if workload.membership is Membership.OUTSIDE:
            statements.append(MtlsPolicy(ServiceScope(workload.name), MtlsMode.DISABLED, workload.origin))
        elif workload.name in uncertain:
            statements.append(MtlsPolicy(ServiceScope(workload.name), MtlsMode.PERMISSIVE, workload.origin))
        elif workload.role is Role.SIDECAR:
            statements.extend(_for_workload(selecting.get(workload.namespace, []), workload, context))
    unknown = (
        rule for one, workloads in unsure for rule in unknown_object(one, tuple(each.name for each in workloads))
    )
    found_there = sorted(_softened(statements, context), key=lambda one: repr(one.scope))
    return Handshakes(tuple(found_there), tuple(unknown))


def _softened(statements: list[MtlsPolicy], context: LiftContext) -> Iterator[MtlsPolicy]:
    """The statements as the proxies of nodes take them, which cannot do without mTLS: disabled is permissive there."""
    modes = {one.scope: one.mode for one in statements}
    ambient = {one.name: one for one in context.workloads if one.membership is Membership.AMBIENT}
    for one in statements:
        is_there = isinstance(one.scope, ServiceScope | PortScope) and one.scope.service in ambient
        is_softened = is_there and one.mode is MtlsMode.DISABLED
        yield replace(one, mode=MtlsMode.PERMISSIVE) if is_softened else one
    for name, workload in ambient.items():
        around = modes.get(NamespaceScope(workload.namespace), modes.get(MeshScope()))
        if around is MtlsMode.DISABLED and ServiceScope(name) not in modes:
            yield MtlsPolicy(ServiceScope(name), MtlsMode.PERMISSIVE, workload.origin)


def _for_mesh(found: list[KubeObject], context: LiftContext) -> Iterator[MtlsPolicy]:
    root = context.settings.root_namespace
    chosen = _oldest([one for one in found if one.namespace == root and not _labels(one)], root, context)
    mode = None if chosen is None else _mode(chosen.spec.get("mtls"))
    is_said = chosen is not None and mode is not None
    origin = _mode_origin(chosen) if chosen is not None and is_said else context.settings.origin
    yield MtlsPolicy(MeshScope(), mode if mode is not None else MtlsMode.PERMISSIVE, origin)


def _for_namespaces(found: list[KubeObject], context: LiftContext) -> Iterator[MtlsPolicy]:
    root = context.settings.root_namespace
    for namespace in sorted({one.namespace for one in found} - {root}):
        level = [one for one in found if one.namespace == namespace and not _labels(one)]
        chosen = _oldest(level, namespace, context)
        mode = None if chosen is None else _mode(chosen.spec.get("mtls"))
        if chosen is not None and mode is not None:
            yield MtlsPolicy(NamespaceScope(namespace), mode, _mode_origin(chosen))


def _selecting(found: list[KubeObject]) -> dict[str, list[_Selecting]]:
    """The objects with selectors by their namespaces, each with the labels that it asks for."""
    selecting: dict[str, list[_Selecting]] = {}
    for one in found:
        if labels := _labels(one):
            selecting.setdefault(one.namespace, []).append((labels, one))
    return selecting


def _for_workload(nearby: list[_Selecting], workload: Workload, context: LiftContext) -> Iterator[MtlsPolicy]:
    if workload.namespace == context.settings.root_namespace:
        return
    level = (one for labels, one in nearby if workload.has_labels(labels))
    chosen = _oldest(level, workload.name, context)
    if chosen is None:
        return
    mode = _mode(chosen.spec.get("mtls"))
    if mode is not None:
        yield MtlsPolicy(ServiceScope(workload.name), mode, _mode_origin(chosen))
    for entry in mapping(chosen.spec.get("portLevelMtls")).entries:
        port_mode = _mode(entry.value)
        if port_mode is not None:  # UNSET is what holds for the workload
            yield MtlsPolicy(PortScope(workload.name, int(entry.key)), port_mode, Origin(entry.key_span))


def _oldest(level: Iterable[KubeObject], where: str, context: LiftContext) -> KubeObject | None:
    """The one that is in force; each other one is a finding, since nothing that it says counts."""
    found = list(level)
    for other in found[1:]:
        message = f"PeerAuthentication `{other.full_name}` does nothing at `{where}`: `{found[0].full_name}` is older"
        advice = "make one of the two; without a creation time the name decides"
        context.findings.add(COMPETING, message, other.full_name, other.origin, advice=advice)
    return found[0] if found else None


def _labels(one: KubeObject) -> tuple[tuple[str, str], ...]:
    return attachment_of(one).labels


def _mode(written: object) -> MtlsMode | None:
    """The mode; None where it is not said, or UNSET."""
    return _MODES.get(text(written.get("mode")) or "") if isinstance(written, MapNode) else None


def _mode_origin(one: KubeObject) -> Origin:
    written = one.spec.get("mtls")
    return one.origin if written is None else origin_of(written)
