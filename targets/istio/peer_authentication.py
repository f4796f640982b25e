"""PeerAuthentication: who must show an identity.

A statement of the policy speaks of declared services, so each has its own object. A namespace has one without a
selector only if it is closed, and the mesh has none: those would change what workloads do that nobody declared.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy, effective_policy
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.model import IstioObject, Piece
from meshproof.targets.istio.workloads import first_wrong_day, observation

KIND = "PeerAuthentication"

_MODES = {MtlsMode.STRICT: "STRICT", MtlsMode.PERMISSIVE: "PERMISSIVE", MtlsMode.DISABLED: "DISABLE"}


def peer_authentications(context: Context) -> Iterator[IstioObject]:
    """One object for each service where somebody may be let in, and one for each closed namespace."""
    for service in context.mesh.services:
        if not service.ports and observation(context.mesh, service, context.day) is None:
            continue
        if service.namespace == context.options.root_namespace:
            error = NotExpressibleError(
                Feature.MTLS_MODES,
                f"it ignores a PeerAuthentication with a selector in the root namespace `{service.namespace}`",
                "declare the service in another namespace, or name the root namespace with "
                "`--option istio.root-namespace=...`",
            )
            context.findings.unsupported(str(service.name), service.origin, error)
            continue
        yield _of_service(context, service)
    for namespace in context.mesh.namespaces:
        if namespace.is_closed and namespace.name != context.options.root_namespace:
            name = context.name(KIND, namespace.name, "closed", namespace.origin)
            yield IstioObject(KIND, namespace.name, name, {"mtls": {"mode": "STRICT"}}, (Piece(namespace.name),))


def _of_service(context: Context, service: Service) -> IstioObject:
    ports = sorted({port.workload for port in service.ports})
    policies = {port: _policy(context, service, port) for port in ports}
    observed = observation(context.mesh, service, context.day)
    modes = {port: _mode(policy, is_observed=observed is not None) for port, policy in policies.items()}
    every = _mode(_policy(context, service, 0), is_observed=observed is not None)
    spec: dict[str, Value] = {"selector": {"matchLabels": dict(service.labels)}, "mtls": {"mode": _MODES[every]}}
    if exceptions := {port: mode for port, mode in modes.items() if mode is not every}:
        spec["portLevelMtls"] = {str(port): {"mode": _MODES[mode]} for port, mode in exceptions.items()}
    ends = [policy.until for policy in policies.values() if policy is not None and policy.mode is not MtlsMode.STRICT]
    ends += [observed.until] if observed is not None else []
    name = context.name(KIND, service.namespace, str(service.name), service.origin)
    return IstioObject(KIND, service.namespace, name, spec, (Piece(str(service.name)),), first_wrong_day(ends))


def _policy(context: Context, service: Service, port: int) -> MtlsPolicy | None:
    """The closest statement; no port has the number 0, so that is the one for ports that are not declared."""
    return effective_policy(context.mesh.mtls, service.name, service.namespace, port, context.day)


def _mode(policy: MtlsPolicy | None, *, is_observed: bool) -> MtlsMode:
    mode = MtlsMode.STRICT if policy is None else policy.mode
    return MtlsMode.PERMISSIVE if is_observed and mode is MtlsMode.STRICT else mode
