"""Resources as objects of App Mesh's controller (`appmesh.k8s.aws/v1beta2`), of which it makes the same resources.

Source: aws/aws-app-mesh-controller-for-k8s, `apis/appmesh/v1beta2` (fields) and `webhooks/appmesh` (what is refused).
What its objects cannot say is a `Gap`, and nothing is written then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from meshproof.compiler.ir.json_text import Json
from meshproof.targets.appmesh.model.gateway_route import GatewayRoute
from meshproof.targets.appmesh.model.mesh import Mesh
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.model.virtual_router import VirtualRouter
from meshproof.targets.appmesh.references import Key, key_of
from meshproof.targets.appmesh.render.gaps import Gap, gaps
from meshproof.targets.appmesh.render.naming import label_value, object_name
from meshproof.targets.appmesh.spelling import API
from meshproof.targets.appmesh.values import Value
from meshproof.targets.appmesh.write import to_json

API_VERSION = "appmesh.k8s.aws/v1beta2"
GATEWAY_LABEL = "meshproof/virtual-gateway"
"""The label by which a gateway takes its routes."""

_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
"""Kubernetes itself puts it on each namespace."""
_RENAMED = {"certificateArn": "certificateARN", "certificateAuthorityArns": "certificateAuthorityARNs"}
_REFERENCES = {
    "virtualNode": "VirtualNode",
    "virtualNodeName": "VirtualNode",
    "virtualRouterName": "VirtualRouter",
    "virtualServiceName": "VirtualService",
}
_WITH_PODS = frozenset(("VirtualNode", "VirtualGateway"))
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Placement:
    """The namespace of the objects, and the labels of the pods of each node and gateway, by its name.

    A node without labels has no pods: the controller gives it none. `elsewhere` has the namespaces of nodes and
    gateways whose pods are in another one, since they select pods of their own; routes of a gateway stand beside it.
    """

    namespace: str
    pods: Mapping[str, Labels] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: str, name: str) -> str:
        """The namespace of a resource."""
        return self.elsewhere.get(name, self.namespace) if kind in _WITH_PODS else self.namespace

    @property
    def namespaces(self) -> tuple[str, ...]:
        """All of them, sorted."""
        return tuple(sorted({self.namespace, *self.elsewhere.values()}))


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects in the order of the resources; with gaps there are none."""

    documents: tuple[Json, ...]
    gaps: tuple[Gap, ...]


def objects(resources: Sequence[Value], placement: Placement) -> Objects:
    """The objects of one whole mesh: everything that a resource names is among them."""
    found = gaps(resources)
    if found:
        return Objects((), found)
    return Objects(tuple(_Writing(resources, placement).documents()), ())


@dataclass(frozen=True, slots=True)
class _Writing:
    resources: Sequence[Value]
    placement: Placement

    def documents(self) -> Iterator[Json]:
        for one in self.resources:
            if not isinstance(one, Route):  # they stand in their routers
                yield self._document(one)

    def _document(self, one: Value) -> Json:
        key = key_of(one)
        metadata: dict[str, Json] = {"name": _name(key)}
        if not isinstance(one, Mesh):
            metadata["namespace"] = self._namespace(one)
        if isinstance(one, GatewayRoute):
            metadata["labels"] = _gateway_labels(one)
        spec: dict[str, Json] = {"awsName": key.name, **self._membership(one), **self._spec(one, self._namespace(one))}
        if isinstance(one, VirtualRouter):
            own = (route for route in self.resources if isinstance(route, Route) and _is_of(route, one))
            routes = [self._route(route, self._namespace(one)) for route in own]
            spec |= {"routes": [*routes]} if routes else {}
        return {"apiVersion": API_VERSION, "kind": key.kind, "metadata": metadata, "spec": spec}

    def _membership(self, one: Value) -> dict[str, Json]:
        """Which namespaces, pods and gateway routes are of it."""
        match one:
            case Mesh():
                return {"namespaceSelector": _selector(self.placement.namespaces)}
            case VirtualNode():
                return self._pods(one.virtual_node_name)
            case VirtualGateway():
                routes: Json = {"matchLabels": {GATEWAY_LABEL: label_value(one.virtual_gateway_name)}}
                pods = self._pods(one.virtual_gateway_name)
                here = _selector((self._namespace(one),))
                return {"namespaceSelector": here, "gatewayRouteSelector": routes, **pods}
            case _:
                return {}

    def _pods(self, name: str) -> dict[str, Json]:
        labels = self.placement.pods.get(name)
        return {"podSelector": {"matchLabels": dict(labels)}} if labels else {}

    def _namespace(self, one: Value) -> str:
        name = one.virtual_gateway_name if isinstance(one, GatewayRoute) else key_of(one).name
        kind = "VirtualGateway" if isinstance(one, GatewayRoute) else key_of(one).kind
        return self.placement.of(kind, name)

    def _spec(self, one: Value, namespace: str) -> dict[str, Json]:
        tree = None if one.spec is None else to_json(one.spec, API)
        found = {} if tree is None else self._converted(tree, namespace)
        assert isinstance(found, dict)
        if isinstance(one, Mesh) and "serviceDiscovery" in found:
            found["meshServiceDiscovery"] = found.pop("serviceDiscovery")
        return found

    def _route(self, one: Route, namespace: str) -> Json:
        return {"name": one.route_name, **self._spec(one, namespace)}

    def _converted(self, tree: Json, namespace: str) -> Json:
        match tree:
            case dict():
                return dict(self._entry(key, value, namespace) for key, value in tree.items())
            case list():
                return [self._converted(one, namespace) for one in tree]
            case _:
                return tree

    def _entry(self, key: str, value: Json, namespace: str) -> tuple[str, Json]:
        """Names of resources become references to objects, with their namespace if it is another one."""
        if key in _REFERENCES and isinstance(value, str):
            found = self.placement.of(_REFERENCES[key], value)
            there: dict[str, Json] = {} if found == namespace else {"namespace": found}
            return f"{key.removesuffix('Name')}Ref", {"name": object_name(value), **there}
        return _RENAMED.get(key, key), self._converted(value, namespace)


def _is_of(route: Route, router: VirtualRouter) -> bool:
    return (route.mesh_name, route.virtual_router_name) == (router.mesh_name, router.virtual_router_name)


def _selector(namespaces: Sequence[str]) -> Json:
    if len(namespaces) == 1:
        return {"matchLabels": {_NAMESPACE_LABEL: namespaces[0]}}
    return {"matchExpressions": [{"key": _NAMESPACE_LABEL, "operator": "In", "values": [*namespaces]}]}


def _name(key: Key) -> str:
    return object_name(key.name)


def _gateway_labels(one: GatewayRoute) -> dict[str, Json]:
    return {GATEWAY_LABEL: label_value(one.virtual_gateway_name)}
