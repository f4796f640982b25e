"""TLS of virtual nodes: whom a listener takes in, and whom a caller takes for the one that it calls."""

from __future__ import annotations

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.names import SpiffeId
from meshproof.targets.appmesh.lower.admission import Admission
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.model.shared import SubjectAlternativeNameMatchers, SubjectAlternativeNames
from meshproof.targets.appmesh.model.virtual_gateway import (
    VirtualGatewayBackendDefaults,
    VirtualGatewayClientPolicy,
    VirtualGatewayClientPolicyTls,
    VirtualGatewayClientTlsCertificate,
    VirtualGatewayListenerTls,
    VirtualGatewayListenerTlsCertificate,
    VirtualGatewayListenerTlsFileCertificate,
    VirtualGatewayListenerTlsSdsCertificate,
    VirtualGatewayTlsValidationContext,
    VirtualGatewayTlsValidationContextFileTrust,
    VirtualGatewayTlsValidationContextSdsTrust,
    VirtualGatewayTlsValidationContextTrust,
)
from meshproof.targets.appmesh.model.virtual_node import (
    ClientPolicy,
    ClientPolicyTls,
    ClientTlsCertificate,
    ListenerTls,
    ListenerTlsCertificate,
    ListenerTlsFileCertificate,
    ListenerTlsSdsCertificate,
    ListenerTlsValidationContext,
    ListenerTlsValidationContextTrust,
    TlsValidationContext,
    TlsValidationContextFileTrust,
    TlsValidationContextSdsTrust,
    TlsValidationContextTrust,
)
from meshproof.targets.common.findings import NotExpressibleError


def listener_tls(context: Context, identity: SpiffeId, who: Admission) -> ListenerTls | None:
    """The TLS of a listener of a workload with this identity."""
    if who.mode is None:
        return None
    file, sds = _certificate(context, identity)
    trust = ListenerTlsValidationContextTrust(*_trust(context))
    names = _names(who.names) if who.names else None
    return ListenerTls(ListenerTlsCertificate(file=file, sds=sds), who.mode, ListenerTlsValidationContext(trust, names))


def client_policy(context: Context, identity: SpiffeId, answering: tuple[SpiffeId, ...]) -> ClientPolicy:
    """How a workload with this identity calls whoever has one of the others; with none, anyone of the trust domain."""
    file, sds = _certificate(context, identity)
    trust = TlsValidationContextTrust(None, *_trust(context))
    names = _names(tuple(sorted({one.uri for one in answering}))) if answering else None
    validation = TlsValidationContext(trust, names)
    return ClientPolicy(ClientPolicyTls(validation, ClientTlsCertificate(file=file, sds=sds), enforce=True))


def gateway_defaults(
    context: Context, identity: SpiffeId, answering: tuple[SpiffeId, ...]
) -> VirtualGatewayBackendDefaults:
    """How a gateway with this identity calls all services behind it; with none, anyone of the trust domain."""
    files, names = context.options.files, tuple(sorted({one.uri for one in answering}))
    if files is None:
        certificate = VirtualGatewayClientTlsCertificate(sds=VirtualGatewayListenerTlsSdsCertificate(identity.uri))
        authority = VirtualGatewayTlsValidationContextSdsTrust(f"spiffe://{context.mesh.trust_domain}")
        trust = VirtualGatewayTlsValidationContextTrust(sds=authority)
    else:
        own = VirtualGatewayListenerTlsFileCertificate(files.chain, files.key)
        certificate = VirtualGatewayClientTlsCertificate(file=own)
        trust = VirtualGatewayTlsValidationContextTrust(file=VirtualGatewayTlsValidationContextFileTrust(files.trust))
    validation = VirtualGatewayTlsValidationContext(trust, _names(names) if names else None)
    tls = VirtualGatewayClientPolicyTls(validation, certificate, enforce=True)
    return VirtualGatewayBackendDefaults(VirtualGatewayClientPolicy(tls))


def edge_tls(gateway: Gateway) -> VirtualGatewayListenerTls:
    """TLS towards the outside: nobody is asked for a certificate. The name of the gateway's is asked of SDS."""
    if gateway.certificate is None:
        raise NotExpressibleError(Feature.GATEWAY, "it ends no TLS without a certificate", "say its `certificate`")
    certificate = VirtualGatewayListenerTlsSdsCertificate(gateway.certificate)
    return VirtualGatewayListenerTls(VirtualGatewayListenerTlsCertificate(sds=certificate), "STRICT")


PLAINTEXT = ClientPolicy()
"""How something is called that speaks no TLS: the defaults of the caller do not hold for it."""


def _names(names: tuple[str, ...]) -> SubjectAlternativeNames:
    return SubjectAlternativeNames(SubjectAlternativeNameMatchers(names))


def _certificate(
    context: Context, identity: SpiffeId
) -> tuple[ListenerTlsFileCertificate | None, ListenerTlsSdsCertificate | None]:
    """SDS is asked by the identity; files stand at the same place beside each proxy, whoever it is."""
    files = context.options.files
    if files is None:
        return None, ListenerTlsSdsCertificate(identity.uri)
    return ListenerTlsFileCertificate(files.chain, files.key), None


def _trust(context: Context) -> tuple[TlsValidationContextFileTrust | None, TlsValidationContextSdsTrust | None]:
    files = context.options.files
    if files is None:
        return None, TlsValidationContextSdsTrust(f"spiffe://{context.mesh.trust_domain}")
    return TlsValidationContextFileTrust(files.trust), None
