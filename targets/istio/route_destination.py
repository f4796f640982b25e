"""Where a branch sends requests: `destination` blocks, with their shares."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import External, Gateway, Node, Service, ServicePort
from meshproof.compiler.ir.routing import Branch, Target
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.workloads import port_of


@dataclass(frozen=True, slots=True)
class Called:
    """What is called: a node, and its host (of an external the one that the object is about)."""

    node: Node
    host: str


def is_plain(branch: Branch, called: Called) -> bool:
    """Whether the branch sends connections where they go without a route."""
    return all(
        target.node == called.node.name and target.version is None and target.port is None for target in branch.targets
    )


def shares(context: Context, branch: Branch, called: Called, port: ServicePort) -> Value:
    """The `route` list of a branch. Raises `NotExpressibleError`."""
    if len(branch.targets) == 1:
        return [{"destination": target_of(context, branch.targets[0], called, port)}]
    return [
        {"destination": target_of(context, target, called, port), "weight": target.weight} for target in branch.targets
    ]


def target_of(context: Context, target: Target, called: Called, port: ServicePort) -> Value:
    """The destination of a share or copy. Without a port of its own it is the one that was called, on the same node.

    Raises `NotExpressibleError`.
    """
    to = context.mesh.node(target.node)
    if to is None or isinstance(to, Gateway):
        raise NotExpressibleError(Feature.ROUTE_SPLIT, f"`{target.node}` is nothing that a request can be sent to")
    is_same = to.name == called.node.name
    if target.port is None and is_same:
        found: ServicePort | None = port
    else:
        found = port_of(to, port.workload if target.port is None else target.port)
    if found is None:
        raise NotExpressibleError(Feature.ROUTE_SPLIT, f"`{target.node}` declares no such port")
    return destination(called if is_same else Called(to, _host(context, to)), target.version, found)


def _host(context: Context, to: Service | External) -> str:
    if isinstance(to, Service):
        return context.service_host(to)
    if len(to.hosts) > 1 or to.hosts[0].startswith("*"):
        raise NotExpressibleError(
            Feature.ROUTE_SPLIT,
            f"a request is sent to one host, and `{to.name}` has several",
            "declare an external with the one host that is meant",
        )
    return to.hosts[0]


def destination(called: Called, version: str | None, port: ServicePort) -> Value:
    """A host, a port of it as callers know it, and a version."""
    found: dict[str, Value] = {"host": called.host, "port": {"number": port.number}}
    if version is not None:
        found["subset"] = version
    return found
