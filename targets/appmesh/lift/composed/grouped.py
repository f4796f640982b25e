"""Who reaches which listener through security groups, and what there is besides that they let in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import Origin, SpiffeId
from meshproof.targets.appmesh.lift.composed.admission import Admission
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.groups import Groups
from meshproof.targets.appmesh.lift.composed.workloads import Workloads
from meshproof.targets.appmesh.residue.security_groups import group_name, sources
from meshproof.targets.appmesh.residue.workloads import Kind, Opening


@dataclass(frozen=True, slots=True)
class Grouped:
    """The groups of workloads, and by `of_identity` the names of those of each identity."""

    groups: Groups
    of_identity: Mapping[str, Collection[str]]
    doubts: Doubts

    def reached(self, kind: Kind, name: str, listeners: tuple[Admission, ...], origin: Origin) -> tuple[Admission, ...]:
        """The listeners of a workload, for those alone whom its group takes."""
        group = group_name(kind, name)
        if group not in self.groups.origins:
            self.doubts.add(name, "has no security group: every port is open", origin)
            return listeners
        rules = self.groups.every[group]
        for port in sorted(rules.keys() - {one.port for one in listeners}):
            self.doubts.add(name, f"takes connections at {port}, where its proxy does not listen", origin)
        return tuple(self._at(name, one, rules.get(one.port, frozenset())) for one in listeners)

    def _at(self, name: str, listener: Admission, found: frozenset[str | None]) -> Admission:
        callers = None if listener.is_open else listener.names
        expected = sources(Opening(listener.port, callers), self.of_identity)
        if found - expected:
            message = f"takes connections at {listener.port} from others than its callers"
            self.doubts.add(name, message, listener.origin)
        missing = expected - found
        if None in missing:
            return replace(listener, mode=MtlsMode.STRICT, names=frozenset())
        if not missing or callers is None:
            return listener
        # Of an identity with several workloads one may call from each.
        return replace(listener, names=frozenset(one for one in callers if not missing & {*self.of_identity[one]}))


def grouped(groups: Groups, workloads: Workloads, gate: SpiffeId, doubts: Doubts) -> Grouped:
    """The groups of the policy's workloads and of the gates. One that is nobody's is a doubt."""
    known = workloads.known
    named = [
        *((one.identity, group_name(Kind.SERVICE, str(one.name))) for one in known.services),
        *((one.identity, group_name(Kind.GATEWAY, str(one.name))) for one in known.gateways),
        *((gate, group_name(Kind.GATE, one.name)) for one in workloads.gates),
    ]
    of_identity: dict[str, list[str]] = {}
    for identity, name in named:
        of_identity.setdefault(identity.uri, []).append(name)
    for name in groups.every.keys() - {name for _, name in named}:
        doubts.add(name, "is the group of no workload of the policy", groups.origins.get(name, known.origin))
    return Grouped(groups, of_identity, doubts)
