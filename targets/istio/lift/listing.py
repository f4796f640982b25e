"""Which objects of the mesh stand in files, for whoever compares what runs with what should."""

from __future__ import annotations

from meshproof.compiler.backend.target import LiftedObject
from meshproof.targets.istio.lift.admission import DRY_RUN
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.values import text

OF_MESH = frozenset(
    (
        Kind.AUTHORIZATION_POLICY,
        Kind.PEER_AUTHENTICATION,
        Kind.REQUEST_AUTHENTICATION,
        Kind.VIRTUAL_SERVICE,
        Kind.DESTINATION_RULE,
        Kind.SERVICE_ENTRY,
        Kind.GATEWAY,
        Kind.SIDECAR,
        Kind.PROXY_CONFIG,
        Kind.ENVOY_FILTER,
        Kind.WASM_PLUGIN,
        Kind.TELEMETRY,
        Kind.KUBE_GATEWAY,
        Kind.HTTP_ROUTE,
        Kind.GRPC_ROUTE,
        Kind.TCP_ROUTE,
        Kind.TLS_ROUTE,
        Kind.REFERENCE_GRANT,
    )
)
"""The kinds that configure the mesh; the others are what it runs on."""

_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))
"""What Go's `strconv.ParseBool` takes for true, as Istio reads its annotations."""


def lifted_object(one: KubeObject) -> LiftedObject:
    """The object, and whether it is on trial, an AuthorizationPolicy with `istio.io/dry-run`, or for AUDIT."""
    is_policy = one.kind is Kind.AUTHORIZATION_POLICY
    is_tried = is_policy and dict(one.annotations).get(DRY_RUN) in _TRUE
    is_logging = is_policy and text(one.spec.get("action")) == "AUDIT"
    return LiftedObject(one.kind.value, one.namespace, one.name, one.origin.span, is_tried, is_logging)
