"""What refuses an object before it is in force: the schema, the CEL rules of the definition, and Istio's webhook.

For the kinds that say who may call whom the webhook's rules are here (pkg/config/validation); for others the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.admission_authn import peer_faults, request_faults
from meshproof.targets.istio.lift.admission_authz import policy_faults
from meshproof.targets.istio.lift.findings import BAD_FIELD, UNKNOWN_FIELD, LiftFindings
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.kubernetes_schemas import kubernetes_schema
from meshproof.targets.istio.lift.objects import KubeObject, ObjectIndex
from meshproof.targets.istio.lift.structure import Fault, faults_in, schema_of
from meshproof.targets.istio.lift.values import mapping, pairs, text

DRY_RUN = "istio.io/dry-run"
_NEWER = frozenset((("RequestAuthentication", "presence"),))
"""Fields that a newer definition has, and that no code reads yet."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What admission says of one object. A refused one is not in force, and what is in its place nobody knows.

    `unknown` are the fields that are dropped before Istio sees the object.
    """

    refusals: tuple[Fault, ...]
    unknown: tuple[Fault, ...]

    @property
    def is_clean(self) -> bool:
        """Whether the object means what it says."""
        return not self.refusals and not self.unknown


def admit_all(objects: ObjectIndex, findings: LiftFindings) -> dict[KubeObject, Verdict]:
    """The verdict over each object that is not clean; each fault is among the findings."""
    found: dict[KubeObject, Verdict] = {}
    for one in objects.objects:
        verdict = admit(one)
        if not verdict.is_clean:
            found[one] = verdict
            _report(one, verdict, findings)
    return found


def admit(one: KubeObject) -> Verdict:
    """What admission says of the object."""
    faults = tuple(_faults(one))
    return Verdict(
        tuple(fault for fault in faults if not fault.is_unknown_field),
        tuple(fault for fault in faults if fault.is_unknown_field),
    )


def _faults(one: KubeObject) -> Iterator[Fault]:
    schema = schema_of(one.kind)
    if schema is None:
        yield from faults_in(one.body, kubernetes_schema(one.kind))
        return
    structural = [fault for fault in faults_in(one.body, schema) if not _is_newer(one, fault)]
    yield from structural
    if all(fault.is_unknown_field for fault in structural):
        yield from _annotation_faults(one)
        yield from _selector_faults(one.spec)
        yield from _webhook_faults(one)


def _is_newer(one: KubeObject, fault: Fault) -> bool:
    return fault.is_unknown_field and (one.kind.value, fault.path.rpartition(".")[2]) in _NEWER


def _webhook_faults(one: KubeObject) -> Iterable[Fault]:
    match one.kind:
        case Kind.AUTHORIZATION_POLICY:
            return policy_faults(one.spec)
        case Kind.PEER_AUTHENTICATION:
            return peer_faults(one.spec)
        case Kind.REQUEST_AUTHENTICATION:
            return request_faults(one.spec)
        case _:
            return ()


def _annotation_faults(one: KubeObject) -> Iterator[Fault]:
    annotation = mapping(one.body.at("metadata", "annotations")).entry(DRY_RUN)
    if annotation is None:
        return
    action = text(one.spec.get("action")) or "ALLOW"
    if one.kind is not Kind.AUTHORIZATION_POLICY or action not in {"ALLOW", "DENY"}:
        message = "is for policies that allow or deny alone"
        yield Fault(f"metadata.annotations[{DRY_RUN}]", annotation.key_span, message)


def _selector_faults(spec: MapNode) -> Iterator[Fault]:
    """What the CEL rules say of selectors and target references, for all kinds that have them."""
    named = [name for name in ("selector", "targetRef", "targetRefs") if spec.entry(name) is not None]
    if len(named) > 1:
        span = spec.span if (entry := spec.entry(named[1])) is None else entry.key_span
        yield Fault("spec", span, f"has both `{named[0]}` and `{named[1]}`")
    for entry in mapping(spec.at("selector", "matchLabels")).entries:
        value = dict(pairs(mapping(spec.at("selector", "matchLabels")))).get(entry.key, "")
        if not entry.key or "*" in entry.key or "*" in value:
            message = "is empty, or has a `*`: labels are compared as they are"
            yield Fault(f"spec.selector.matchLabels.{entry.key}", entry.key_span, message)


def _report(one: KubeObject, verdict: Verdict, findings: LiftFindings) -> None:
    for fault in verdict.unknown:
        message = f"`{fault.path}` is no field of {one.kind} and does nothing"
        findings.add(UNKNOWN_FIELD, message, one.full_name, fault.span, advice=fault.advice)
    for fault in verdict.refusals:
        place = f"`{fault.path}`" if fault.path else "the object"
        message = f"{one.kind} `{one.full_name}` is refused: {place} {fault.message}"
        findings.add(BAD_FIELD, message, one.full_name, fault.span, advice=fault.advice)
