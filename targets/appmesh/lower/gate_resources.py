"""The virtual gateways and gateway routes that doors are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.door import Door
from meshproof.targets.appmesh.lower.door_routes import Routed
from meshproof.targets.appmesh.lower.gateway_routes import Entrance, Onward, gateway_route
from meshproof.targets.appmesh.model.shared import SubjectAlternativeNameMatchers, SubjectAlternativeNames
from meshproof.targets.appmesh.model.virtual_gateway import (
    VirtualGateway,
    VirtualGatewayBackendDefaults,
    VirtualGatewayClientPolicy,
    VirtualGatewayClientPolicyTls,
    VirtualGatewayClientTlsCertificate,
    VirtualGatewayListener,
    VirtualGatewayListenerTls,
    VirtualGatewayListenerTlsCertificate,
    VirtualGatewayListenerTlsFileCertificate,
    VirtualGatewayListenerTlsSdsCertificate,
    VirtualGatewayListenerTlsValidationContext,
    VirtualGatewayListenerTlsValidationContextTrust,
    VirtualGatewayPortMapping,
    VirtualGatewaySpec,
    VirtualGatewayTlsValidationContext,
    VirtualGatewayTlsValidationContextFileTrust,
    VirtualGatewayTlsValidationContextSdsTrust,
    VirtualGatewayTlsValidationContextTrust,
)
from meshproof.targets.appmesh.naming import direct_name
from meshproof.targets.appmesh.values import Value


def gate_resources(context: Context, doors: Sequence[tuple[Door, Routed]]) -> Iterator[Value]:
    """The gates of the doors with their listeners, and the routes of each door."""
    for gate in sorted({door.gate for door, _ in doors}):
        own = sorted((one for one in doors if one[0].gate == gate), key=lambda one: one[0].number)
        yield _gate(context, gate, own)
    for door, found in doors:
        # A gate knows the virtual services of all its doors by name: a caller's word for the host may be none of them.
        entrance = Entrance(door.gate, door.number, door.protocol, keeps_host=False)
        onward = Onward(direct_name(context.host(door.service)), door.port.workload)
        for index, match in enumerate(found.routes):
            yield gateway_route(context, entrance, index, match, onward)


def _gate(context: Context, gate: str, doors: Sequence[tuple[Door, Routed]]) -> VirtualGateway:
    """A gate meets the services behind it and nobody else, and shows its own certificate on both sides.

    A door whose callers may do nothing that there is has no routes, and leads to nobody.
    """
    led = tuple(door for door, found in doors if found.routes) or tuple(door for door, _ in doors)
    behind = _names(tuple(door.service.identity.uri for door in led))
    trust = VirtualGatewayTlsValidationContextTrust(None, *_trust(context))
    validation = VirtualGatewayTlsValidationContext(trust, behind)
    certificate = VirtualGatewayClientTlsCertificate(*_certificate(context))
    client = VirtualGatewayClientPolicy(VirtualGatewayClientPolicyTls(validation, certificate, enforce=True))
    listeners = tuple(_listener(context, door) for door, _ in doors)
    spec = VirtualGatewaySpec(listeners, VirtualGatewayBackendDefaults(client))
    return VirtualGateway(context.mesh_name, spec, gate)


def _listener(context: Context, door: Door) -> VirtualGatewayListener:
    file, sds = _certificate(context)
    trust = VirtualGatewayListenerTlsValidationContextTrust(*_trust(context))
    names = _names(tuple(caller.uri for caller in door.callers))
    certificate = VirtualGatewayListenerTlsCertificate(file=file, sds=sds)
    tls = VirtualGatewayListenerTls(certificate, "STRICT", VirtualGatewayListenerTlsValidationContext(trust, names))
    return VirtualGatewayListener(VirtualGatewayPortMapping(door.number, door.protocol), tls=tls)


def _names(uris: tuple[str, ...]) -> SubjectAlternativeNames:
    return SubjectAlternativeNames(SubjectAlternativeNameMatchers(tuple(sorted(set(uris)))))


def _certificate(
    context: Context,
) -> tuple[VirtualGatewayListenerTlsFileCertificate | None, VirtualGatewayListenerTlsSdsCertificate | None]:
    files = context.options.files
    if files is None:
        return None, VirtualGatewayListenerTlsSdsCertificate(context.gate.uri)
    return VirtualGatewayListenerTlsFileCertificate(files.chain, files.key), None


def _trust(
    context: Context,
) -> tuple[VirtualGatewayTlsValidationContextFileTrust | None, VirtualGatewayTlsValidationContextSdsTrust | None]:
    files = context.options.files
    if files is None:
        return None, VirtualGatewayTlsValidationContextSdsTrust(f"spiffe://{context.mesh.trust_domain}")
    return VirtualGatewayTlsValidationContextFileTrust(files.trust), None
