"""Where a policy and the settings of a sidecar do not fit: it is told, because what does not fit is refused later."""

from __future__ import annotations

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Gateway, Layer, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.core.traffic.plans import readers_of_sni
from meshproof.runtime.net.material.policy import own_node
from meshproof.runtime.settings_run import RunSettings


def gaps(mesh: Mesh, settings: RunSettings) -> tuple[str, ...]:
    """What the policy says and these settings do not make possible, a sentence each: it is refused when it comes up."""
    found = list(_unkept_at(own_node(mesh, settings.service), mesh, settings))
    for outbound in settings.outbound:
        node = mesh.node(outbound.destination)
        if node is None or not any(port.workload == outbound.port for port in node.ports):
            found.append(f"the policy declares no port `{outbound.port}` of `{outbound.destination}`, which is called")
            continue
        found += [
            f"there are no endpoints of {said}, to which requests for `{outbound.destination}` may go"
            for said in _unreachable(mesh, settings, outbound.destination, outbound.port)
        ]
        if not _is_http(mesh, outbound.destination, outbound.port):
            found += [
                f"{said} reads `sni`, which no sidecar reads where it sends, so each connection to"
                f" `{outbound.destination}:{outbound.port}` is refused; call it without `[[outbound]]`,"
                " or compile the policy without `sni` there"
                for said in readers_of_sni(mesh, outbound.destination)
            ]
    return tuple(dict.fromkeys(found))


def _unkept_at(node: Service | Gateway, mesh: Mesh, settings: RunSettings) -> list[str]:
    known = {one.issuer for one in settings.tokens}
    found = [
        f"the keys of `{issuer}`, whose tokens `{node.name}` accepts, are not said, so all its tokens are refused"
        for issuer in node.accepts
        if issuer not in known
    ]
    inbound = {one.port for one in settings.inbound}
    found += [
        f"rule `{rule.id}` asks `{rule.authorizer}`, whom no sidecar asks, so what it meets is refused"
        for rule in mesh.rules
        if rule.authorizer is not None and _is_for(rule, node.name, frozenset(inbound))
    ]
    return found


def _is_for(rule: AuthzRule, name: NodeName, ports: frozenset[int]) -> bool:
    return any(one.node == name and (one.ports is None or ports & set(one.ports)) for one in rule.destinations)


def _unreachable(mesh: Mesh, settings: RunSettings, name: NodeName, port: int) -> list[str]:
    groups = {(one.destination, one.port, one.version) for one in settings.endpoints}
    found = []
    for target_node, target_port, version in sorted(_targets(mesh, name, port), key=str):
        if version is None:
            is_there = any(group[:2] == (target_node, target_port) for group in groups)
        else:
            is_there = (target_node, target_port, version) in groups
        if not is_there:
            found.append(f"`{target_node}:{target_port}`" + (f" version `{version}`" if version else ""))
    return found


def _targets(mesh: Mesh, name: NodeName, port: int) -> set[tuple[NodeName, int, str | None]]:
    found: set[tuple[NodeName, int, str | None]] = set()
    for route in mesh.routes:
        if route.node == name and route.port in {None, port} and _is_http(mesh, name, port):
            for branch in route.branches:
                mirror = branch.settings.mirror
                for target in (*branch.targets, *((mirror.target,) if mirror is not None else ())):
                    found.add((target.node, target.port or port, target.version))
    return found or {(name, port, None)}


def _is_http(mesh: Mesh, name: NodeName, port: int) -> bool:
    node = mesh.node(name)
    return node is not None and any(one.workload == port and one.layer is Layer.HTTP for one in node.ports)
