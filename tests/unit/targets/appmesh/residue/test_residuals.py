"""A compile says what App Mesh leaves open, and only what applies."""

from __future__ import annotations

from meshproof.targets.appmesh.model.gateway_route import (
    GatewayRoute,
    GatewayRouteSpec,
    GatewayRouteTarget,
    GatewayRouteVirtualService,
    HttpGatewayRoute,
    HttpGatewayRouteAction,
    HttpGatewayRouteMatch,
)
from meshproof.targets.appmesh.model.mesh import Mesh
from meshproof.targets.appmesh.model.shared import PortMapping, SubjectAlternativeNameMatchers, SubjectAlternativeNames
from meshproof.targets.appmesh.model.virtual_gateway import (
    VirtualGateway,
    VirtualGatewayListener,
    VirtualGatewayListenerTls,
    VirtualGatewayListenerTlsCertificate,
    VirtualGatewayListenerTlsSdsCertificate,
    VirtualGatewayListenerTlsValidationContext,
    VirtualGatewayListenerTlsValidationContextTrust,
    VirtualGatewayPortMapping,
    VirtualGatewaySpec,
    VirtualGatewayTlsValidationContextSdsTrust,
)
from meshproof.targets.appmesh.model.virtual_node import (
    Backend,
    Listener,
    VirtualNode,
    VirtualNodeSpec,
    VirtualServiceBackend,
)
from meshproof.targets.appmesh.residue.residuals import residuals


def _node(protocol: str, *backends: str) -> VirtualNode:
    named = tuple(Backend(virtual_service=VirtualServiceBackend(virtual_service_name=one)) for one in backends)
    listener = Listener(port_mapping=PortMapping(port=80, protocol=protocol))
    spec = VirtualNodeSpec(listeners=(listener,), backends=named)
    return VirtualNode(mesh_name="shop", virtual_node_name="web", spec=spec)


def _tls(mode: str, *names: str) -> VirtualGatewayListenerTls:
    secret = VirtualGatewayListenerTlsSdsCertificate("gate")
    trust = VirtualGatewayTlsValidationContextSdsTrust("shop.test")
    validation = VirtualGatewayListenerTlsValidationContext(
        trust=VirtualGatewayListenerTlsValidationContextTrust(sds=trust),
        subject_alternative_names=SubjectAlternativeNames(match=SubjectAlternativeNameMatchers(exact=names)),
    )
    certificate = VirtualGatewayListenerTlsCertificate(sds=secret)
    return VirtualGatewayListenerTls(certificate=certificate, mode=mode, validation=validation)


def _gate(name: str = "gate", tls: VirtualGatewayListenerTls | None = None) -> VirtualGateway:
    listener = VirtualGatewayListener(port_mapping=VirtualGatewayPortMapping(port=81, protocol="http2"), tls=tls)
    spec = VirtualGatewaySpec(listeners=(listener,))
    return VirtualGateway(mesh_name="shop", virtual_gateway_name=name, spec=spec)


def _route(number: int) -> GatewayRoute:
    target = GatewayRouteTarget(virtual_service=GatewayRouteVirtualService(virtual_service_name="cart.local"))
    action = HttpGatewayRouteAction(target=target)
    route = HttpGatewayRoute(action=action, match=HttpGatewayRouteMatch(prefix="/"))
    spec = GatewayRouteSpec(http_route=route)
    return GatewayRoute(gateway_route_name=f"r{number}", mesh_name="shop", spec=spec, virtual_gateway_name="gate")


def _codes(*given: Mesh | VirtualNode | VirtualGateway | GatewayRoute) -> dict[str, tuple[str, ...]]:
    return {one.code: one.names for one in residuals(given, frozenset({"gate"}))}


def test_only_what_applies() -> None:
    assert _codes() == {}
    assert _codes(_node("tcp")) == {"R7": ("web",)}
    assert list(_codes(Mesh(mesh_name="shop"))) == ["R6", "R7"]


def test_callers_and_websockets() -> None:
    assert _codes(_node("http", "cart.local")) == {"R2": ("web",), "R7": ("web",), "R8": ("web:80",)}


def test_a_gate_hides_its_callers_and_is_dialled() -> None:
    found = _codes(_gate(), _route(1))
    assert found == {"R1": ("gate",), "R3": ("gate/r1",), "R4": ("cart.local",), "R5": ("gate:81 <- anyone",)}


def test_a_door_names_its_callers_only_where_it_is_strict() -> None:
    assert _codes(_gate(tls=_tls("STRICT", "spiffe://b", "spiffe://a")))["R5"] == ("gate:81 <- spiffe://a, spiffe://b",)
    assert _codes(_gate(tls=_tls("PERMISSIVE", "spiffe://a")))["R5"] == ("gate:81 <- anyone",)


def test_quotas_that_are_used_up() -> None:
    assert "R10" not in _codes(*map(_route, range(9)))
    assert _codes(*map(_route, range(10)))["R10"] == ("gate: 10 of 10",)
    assert _codes(*map(_gate, ("a", "b", "c")))["R10"] == ("shop: 3 of 3",)
