"""Which edits are to blame for a region: the fewest whose reversal takes it out of the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import External, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MeshScope, MtlsPolicy, NamespaceScope, PortScope, ServiceScope
from meshproof.compiler.ir.names import Origin, RuleId
from meshproof.compiler.smt.encode_authz import encode_match
from meshproof.compiler.smt.formula import Formula
from meshproof.compiler.smt.joint import Joint
from meshproof.compiler.smt.joint_callers import SideCallers, Trust
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.verify.semantic_diff_ports import means_same
from meshproof.compiler.verify.semantic_diff_values import Change, Edit, EditKind


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the port's policy that differs; `rule` for a rule."""

    edit: Edit
    rule: RuleId | None = None


class Blame:
    """The edits at one port."""

    def __init__(self, joint: Joint, meshes: tuple[Mesh, Mesh], origins: Sequence[Mapping[RuleId, Origin]]) -> None:
        self._joint = joint
        self._origins = origins
        self._meshes = meshes
        self._parts = (*self._frame(), *self._rules())

    @property
    def edits(self) -> tuple[Edit, ...]:
        """Everything that differs at the port, in what decides."""
        return tuple(part.edit for part in self._parts)

    def of(self, region: Formula, change: Change) -> tuple[tuple[Edit, ...], tuple[Edit, ...]]:
        """The fewest edits, by inclusion, whose reversal undoes the change of a region, and others the reversal of
        which undoes it for a part. Raises Undecided.
        """  # noqa: D205
        relevant = [part for part in self._parts if part.rule is None or self._meets(part.rule, region)]
        kept = relevant
        for part in relevant:
            rest = [one for one in kept if one is not part]
            if self._joint.is_empty(region, self._as_now(change, rest)):
                kept = rest
        others = [part for part in relevant if part not in kept]
        negation = self._joint.formulas.negation
        also = [one for one in others if not self._joint.is_empty(region, negation(self._as_now(change, [one])))]
        return tuple(part.edit for part in kept), tuple(part.edit for part in also)

    def _as_now(self, change: Change, reversed_parts: Sequence[_Part]) -> Formula:
        """What is still decided as the new policy does, with these parts as they were."""
        allowed = self._mixed(reversed_parts)
        return allowed if change is Change.ALLOWED else self._joint.formulas.negation(allowed)

    def _mixed(self, parts: Sequence[_Part]) -> Formula:
        """What the new policy would allow with these parts as they were."""
        old, new = self._joint.old_policy, self._joint.new_policy
        kinds = {part.edit.kind for part in parts if part.rule is None}
        policy = new
        for kind, change in _CHANGES:
            if kind in kinds:
                policy = change(policy, old)
        callers: SideCallers = self._joint.callers.old if EditKind.TRUST in kinds else self._joint.callers.new
        return self._joint.view(replace(policy, rules=self._mixed_rules(parts)), callers).allowed()

    def _mixed_rules(self, parts: Sequence[_Part]) -> tuple[AuthzRule, ...]:
        old = {rule.id: rule for rule in self._joint.old_policy.rules}
        rules = {rule.id: rule for rule in self._joint.new_policy.rules}
        for part in parts:
            if part.rule in old:
                rules[part.rule] = old[part.rule]
            elif part.rule is not None:
                rules.pop(part.rule, None)
        return tuple(rules[name] for name in sorted(rules))

    def _meets(self, name: RuleId, region: Formula) -> bool:
        """Whether the rule, as it was or as it is, matches something of the region."""
        for view in (self._joint.old, self._joint.new):
            for rule in view.policy.rules:
                if rule.id == name and not self._joint.is_empty(region, encode_match(rule, view)):
                    return True
        return False

    def _rules(self) -> Iterator[_Part]:
        old = {rule.id: rule for rule in self._joint.old_policy.rules}
        new = {rule.id: rule for rule in self._joint.new_policy.rules}
        for name in sorted(old.keys() | new.keys()):
            one, other = old.get(name), new.get(name)
            if one is None or other is None or not means_same(one, other):
                # A rule that is not in force here, or not for this port, is not gone: it has changed.
                places = (self._origins[0].get(name), self._origins[1].get(name))
                yield _Part(Edit(EditKind.RULE, name, *places), name)

    def _frame(self) -> Iterator[_Part]:
        """What differs besides rules, what most of a mesh has in common first."""
        old, new = self._joint.old_policy, self._joint.new_policy
        if self._is_trust_changed():
            old_trust, new_trust = map(Trust.of, self._meshes)
            subject = "trust domains" if old_trust != new_trust else "identities"
            yield _Part(Edit(EditKind.TRUST, subject, *(mesh.origin for mesh in self._meshes)))
        if old.is_observed != new.is_observed:
            was, now = (_observed(mesh, policy) for mesh, policy in zip(self._meshes, (old, new), strict=True))
            yield _Part(Edit(EditKind.OBSERVE, now[0] if new.is_observed else was[0], was[1], now[1]))
        if (old.layer, old.has_tls_without_identity) != (new.layer, new.has_tls_without_identity):
            places = (None if one.declared is None else one.declared.origin for one in (old, new))
            yield _Part(Edit(EditKind.PORT, f"{new.key.node}:{new.key.port}", *places))
        if _issuers(old) != _issuers(new):
            yield _Part(Edit(EditKind.TOKENS, str(new.key.node), old.node.origin, new.node.origin))
        if old.open_layers != new.open_layers:
            is_egress = isinstance(new.node, External)
            kind = EditKind.EGRESS if is_egress else EditKind.DEFAULT
            places = (
                mesh.origin if is_egress else policy.node.origin
                for mesh, policy in zip(self._meshes, (old, new), strict=True)
            )
            yield _Part(Edit(kind, "egress" if is_egress else str(new.key.node), *places))
        if old.mode is not new.mode:
            places = (None if one.mtls is None else one.mtls.origin for one in (old, new))
            yield _Part(Edit(EditKind.MTLS, scope_text(new.mtls or old.mtls), *places))

    def _is_trust_changed(self) -> bool:
        callers = self._joint.callers
        if callers.old.every != callers.new.every or callers.old.gateways != callers.new.gateways:
            return True
        return any(one.uri != other.uri for one, other in zip(callers.old.classes, callers.new.classes, strict=True))


def scope_text(statement: MtlsPolicy | None) -> str:
    """What an mTLS statement is for; without one it is the default of the language."""
    match statement.scope if statement is not None else MeshScope():
        case MeshScope():
            return "mesh"
        case NamespaceScope(namespace):
            return f"namespace {namespace}"
        case ServiceScope(service):
            return str(service)
        case PortScope(service, port):
            return f"{service}:{port}"


def _observed(mesh: Mesh, policy: PortPolicy) -> tuple[str, Origin | None]:
    """Whose `observe` is in force at a port, and where it stands: a service has that of its namespace too."""
    node = policy.node
    if isinstance(node, External) or not policy.is_observed:
        return str(node.name), None
    own = node.observe if isinstance(node, Service) else None
    shared = next((one.observe for one in mesh.namespaces if one.name == node.namespace), None)
    if shared is not None and (own is None or own.origin == shared.origin):
        return f"namespace {node.namespace}", shared.origin
    return str(node.name), None if own is None else own.origin


def _issuers(policy: PortPolicy) -> tuple[tuple[str, tuple[str, ...], bool], ...]:
    return tuple((issuer.url, issuer.accepted_audiences, issuer.needs_audience) for issuer in policy.issuers)


_CHANGES: tuple[tuple[EditKind, Callable[[PortPolicy, PortPolicy], PortPolicy]], ...] = (
    (EditKind.OBSERVE, lambda policy, old: replace(policy, is_observed=old.is_observed)),
    (EditKind.PORT, lambda policy, old: replace(policy, layer=old.layer, declared=old.declared)),
    (EditKind.TOKENS, lambda policy, old: replace(policy, issuers=old.issuers)),
    (EditKind.DEFAULT, lambda policy, old: replace(policy, open_layers=old.open_layers)),
    (EditKind.EGRESS, lambda policy, old: replace(policy, open_layers=old.open_layers)),
    (EditKind.MTLS, lambda policy, old: replace(policy, mode=old.mode, mtls=old.mtls)),
)
"""How each part is put back as it was."""
