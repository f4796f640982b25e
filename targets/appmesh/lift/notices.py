"""What a reader of files of App Mesh should know besides who may call whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.dsl.diagnostic import Diagnostic
from meshproof.targets.appmesh.lift.findings import COOPERATIVE, DANGLING, ENDED, finding
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.options import JUDGEMENT

_WAY_OUT = "`meshproof import app-mesh` writes what it means as a policy, which `compile --target istio` takes along"


def notices(resources: Resources, mesh: Mesh) -> Iterator[Diagnostic]:
    """The end of App Mesh, what its callers' proxies alone keep, and names that nothing has."""
    first = resources.every[0]
    message = "AWS ended App Mesh on 2026-09-30: neither console nor resources are accessible since"
    yield finding(ENDED, message, mesh.name, first.origin, _WAY_OUT)
    yield from _cooperative(resources, mesh)
    yield from _dangling(resources)


def _cooperative(resources: Resources, mesh: Mesh) -> Iterator[Diagnostic]:
    """All that is asked of callers' proxies alone, once; and whether it counts here."""
    backends = sum(len(one.value.spec.backends or ()) for one in resources.nodes)
    kept = [
        _counted(number, what) for number, what in ((backends, "backend"), (len(resources.routes), "route")) if number
    ]
    spec = resources.meshes[0].value.spec if resources.meshes else None
    if spec is not None and spec.egress_filter is not None and spec.egress_filter.type == "DROP_ALL":
        kept.append("the egress filter")
    if mesh.judgement is Judgement.COOPERATIVE:
        at = resources.every[0].origin
        message = f"taken for kept, and enforced by nobody: what the proxies of callers keep{_listed(kept)}"
        advice = f"without `--option {JUDGEMENT}=cooperative` only what servers enforce counts"
        yield finding(COOPERATIVE, message, mesh.name, at, advice)
    elif kept:
        at = (resources.meshes or resources.nodes or resources.routes)[0].origin
        message = f"what the proxies of callers alone keep, keeps nobody out: {', '.join(kept)}"
        advice = "only TLS with validation and names at a listener is enforced where a request arrives"
        yield finding(COOPERATIVE, message, mesh.name, at, advice)


def _listed(kept: list[str]) -> str:
    return f": {', '.join(kept)}" if kept else ""


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _dangling(resources: Resources) -> Iterator[Diagnostic]:
    """References to what no file has: requests end there."""
    services = {one.name for one in resources.services}
    nodes = {one.name for one in resources.nodes}
    routers = {one.name for one in resources.routers}
    gateways = {one.name for one in resources.gateways}
    for service in resources.services:
        provider = service.value.spec.provider
        if provider is not None and provider.virtual_node is not None:
            name = provider.virtual_node.virtual_node_name
            yield from _missing(name, nodes, "virtual node", service)
        if provider is not None and provider.virtual_router is not None:
            yield from _missing(provider.virtual_router.virtual_router_name, routers, "virtual router", service)
    for route in resources.routes:
        yield from _missing(route.value.virtual_router_name, routers, "virtual router", route)
    for gateway_route in resources.gateway_routes:
        yield from _missing(gateway_route.value.virtual_gateway_name, gateways, "virtual gateway", gateway_route)
    for node in resources.nodes:
        for backend in node.value.spec.backends or ():
            if backend.virtual_service is not None:
                yield from _missing(backend.virtual_service.virtual_service_name, services, "virtual service", node)


def _missing(name: str, known: set[str], kind: str, found: Found[Any]) -> Iterator[Diagnostic]:
    if name not in known:
        message = f"`{found.name}` names the {kind} `{name}`, and no file has it"
        yield finding(DANGLING, message, found.name, found.origin)
