"""The custom resources of App Mesh's controller, told as the resources of the API that it makes of them.

Source: aws/aws-app-mesh-controller-for-k8s, `apis/appmesh/v1beta2` (fields) and `pkg/*/resource_manager.go` (names).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.source import Span
from meshproof.targets.appmesh.lift.findings import BAD_FIELD, NOT_MODELLED, finding
from meshproof.targets.appmesh.lift.found import Owner
from meshproof.targets.common.tree import Entry, Leaf, ListNode, MapNode, Placed

GROUP = "appmesh.k8s.aws/"
_KINDS = frozenset(("Mesh", "VirtualNode", "VirtualService", "VirtualRouter", "VirtualGateway", "GatewayRoute"))
_ONLY = "mesh"
"""What the mesh of objects is called that no object names."""

_RENAMED = {
    "certificateARN": "certificateArn",
    "certificateAuthorityARNs": "certificateAuthorityArns",
    "meshServiceDiscovery": "serviceDiscovery",
}
_REFERENCES = {"virtualNode": "VirtualNode", "virtualService": "VirtualService", "virtualRouter": "VirtualRouter"}
_OWN = frozenset(
    ("awsName", "podSelector", "namespaceSelector", "gatewayRouteSelector", "meshRef", "meshOwner", "virtualGatewayRef")
)
"""Fields of the controller, which the resource that it makes does not have."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What an object says: a kind of the API, the resource in the spelling of the API, and whose resource it is."""

    kind: str
    tree: MapNode
    owner: Owner


@dataclass(frozen=True, slots=True)
class _Object:
    kind: str
    name: str
    namespace: str
    tree: MapNode
    spec: MapNode

    @property
    def owner(self) -> Owner:
        """The object as the one that resources are made of."""
        told = self.spec.get("podSelector")
        selector = told if isinstance(told, MapNode) and told.get("matchExpressions") is None else None
        pods = {} if selector is None else _labels(selector.get("matchLabels"))
        has_groups = self.spec.get("backendGroups") is not None
        return Owner(self.namespace, self.name, tuple(sorted(pods.items())), has_groups)

    @property
    def aws_name(self) -> str:
        """What the resource is called; see `SetAWSName` of the controller's webhooks."""
        told = self.spec.get("awsName")
        if isinstance(told, Leaf):
            return told.text
        between = {"VirtualService": ".", "Mesh": ""}.get(self.kind, "_")
        return f"{self.name}{between}{self.namespace}" if between else self.name


def is_custom_resource(tree: MapNode) -> bool:
    """Whether a document is an object of App Mesh's controller."""
    return _text(tree.get("apiVersion")).startswith(GROUP)


def read_custom_resources(trees: tuple[MapNode, ...]) -> tuple[tuple[Spoken, ...], tuple[Diagnostic, ...]]:
    """All objects together, since they name each other: the resources, and what they say that has no meaning there."""
    objects = tuple(_object(tree) for tree in trees)
    reading = _Reading({(one.kind, one.namespace, one.name): one for one in objects}, objects)
    return tuple(resource for one in objects for resource in reading.resources(one)), tuple(reading.diagnostics)


def _object(tree: MapNode) -> _Object:
    spec = tree.get("spec")
    return _Object(
        kind=_text(tree.get("kind")),
        name=_text(tree.at("metadata", "name")),
        namespace=_text(tree.at("metadata", "namespace")) or "default",
        tree=tree,
        spec=spec if isinstance(spec, MapNode) else MapNode((), tree.span),
    )


@dataclass(slots=True)
class _Reading:
    named: dict[tuple[str, str, str], _Object]
    objects: tuple[_Object, ...]
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def resources(self, one: _Object) -> Iterator[Spoken]:
        """The resource, and the routes that stand inside of a router."""
        if not one.name:
            self.diagnostics.append(finding(BAD_FIELD, f"the {one.kind} has no `metadata.name`", "", one.tree.span))
            return
        if one.kind not in _KINDS:
            message = f"`{one.kind}` of App Mesh's controller is not modelled"
            self.diagnostics.append(finding(NOT_MODELLED, message, one.name, one.tree.span))
            return
        if one.kind == "GatewayRoute":
            yield from self._gateway_route(one)
            return
        left_out = {"routes"} if one.kind == "VirtualRouter" else {"backendGroups"}
        if one.spec.get("backendGroups") is not None:
            message = f"the backend groups of `{one.name}` are not modelled: it may call more than is told"
            self.diagnostics.append(finding(NOT_MODELLED, message, one.name, one.tree.span))
        named = {_name_key(one.kind): one.aws_name}
        yield Spoken(one.kind, self._resource(one, self._spec(one, left_out), named), one.owner)
        routes = one.spec.get("routes")
        if one.kind == "VirtualRouter" and isinstance(routes, ListNode):
            yield from (self._route(one, route) for route in routes.items if isinstance(route, MapNode))

    def _route(self, router: _Object, route: MapNode) -> Spoken:
        told = self._converted(route, router.namespace)
        spec = MapNode(tuple(entry for entry in told.entries if entry.key != "name"), route.span)
        names = {"routeName": _text(route.get("name")), "virtualRouterName": router.aws_name}
        return Spoken("Route", self._resource(router, spec, names, route.span), router.owner)

    def _gateway_route(self, one: _Object) -> Iterator[Spoken]:
        gateway = self._gateway_of(one)
        if gateway is None:
            message = f"which virtual gateway the gateway route `{one.name}` is for cannot be told"
            advice = "its `spec.virtualGatewayRef` says it, which the controller writes: read what the cluster has"
            self.diagnostics.append(finding(NOT_MODELLED, message, one.name, one.tree.span, advice))
            return
        names = {"gatewayRouteName": one.aws_name, "virtualGatewayName": gateway}
        yield Spoken("GatewayRoute", self._resource(one, self._spec(one, set()), names), one.owner)

    def _gateway_of(self, one: _Object) -> str | None:
        """The gateway that it names, or the only one that takes its labels."""
        told = one.spec.get("virtualGatewayRef")
        if isinstance(told, MapNode):
            return self._name_of("VirtualGateway", told, one.namespace)
        labels = _labels(one.tree.at("metadata", "labels"))
        taking = [
            other
            for other in self.objects
            if other.kind == "VirtualGateway"
            and _labels(other.spec.at("gatewayRouteSelector", "matchLabels")).items() <= labels.items()
        ]
        return taking[0].aws_name if len(taking) == 1 else None

    def _spec(self, one: _Object, left_out: set[str]) -> MapNode:
        dropped = _OWN | left_out
        kept = tuple(entry for entry in one.spec.entries if entry.key not in dropped)
        return self._converted(MapNode(kept, one.spec.span), one.namespace)

    def _resource(self, one: _Object, spec: MapNode, names: dict[str, str], span: Span | None = None) -> MapNode:
        """A resource with its names, and the mesh that it is in."""
        at = span or one.tree.span
        told = names if one.kind == "Mesh" else {"meshName": self._mesh_of(one), **names}
        entries = tuple(Entry(key, at, Leaf(value, value, at)) for key, value in told.items())
        return MapNode((*entries, Entry("spec", spec.span, spec)), at)

    def _mesh_of(self, one: _Object) -> str:
        """The mesh that the controller wrote into it, or the only one there is."""
        told = _text(one.spec.at("meshRef", "name"))
        meshes = [other for other in self.objects if other.kind == "Mesh"]
        if told:
            return next((other.aws_name for other in meshes if other.name == told), told)
        return meshes[0].aws_name if len(meshes) == 1 else _ONLY

    def _converted(self, tree: MapNode, namespace: str) -> MapNode:
        return MapNode(tuple(self._entry(entry, namespace) for entry in tree.entries), tree.span)

    def _entry(self, entry: Entry, namespace: str) -> Entry:
        value = entry.value
        for field_name, kind in _REFERENCES.items():
            if entry.key not in {f"{field_name}Ref", f"{field_name}ARN"}:
                continue
            if isinstance(value, MapNode):
                name = self._name_of(kind, value, namespace)
            else:
                name = _text(value).rpartition("/")[2]
            return Entry(f"{field_name}Name", entry.key_span, Leaf(name, name, value.span))
        return Entry(_RENAMED.get(entry.key, entry.key), entry.key_span, self._value(entry.key, value, namespace))

    def _value(self, key: str, value: Placed, namespace: str) -> Placed:
        match value:
            case MapNode():
                return self._converted(value, namespace)
            case ListNode(items, span):
                found = (self._value("", item, namespace) for item in items)
                return ListNode(tuple(_target(one) if key == "weightedTargets" else one for one in found), span)
            case _:
                return value

    def _name_of(self, kind: str, reference: MapNode, namespace: str) -> str:
        name = _text(reference.get("name"))
        place = _text(reference.get("namespace")) or namespace
        known = self.named.get((kind, place, name))
        return (
            _Object(kind, name, place, reference, MapNode((), reference.span)).aws_name
            if known is None
            else (known.aws_name)
        )


def _target(tree: Placed) -> Placed:
    """A weighted target calls its node `virtualNode`."""
    if not isinstance(tree, MapNode):
        return tree
    entries = (
        Entry("virtualNode", one.key_span, one.value) if one.key == "virtualNodeName" else one for one in tree.entries
    )
    return MapNode(tuple(entries), tree.span)


def _name_key(kind: str) -> str:
    return f"{kind[0].lower()}{kind[1:]}Name"


def _text(tree: Placed | None) -> str:
    return tree.text if isinstance(tree, Leaf) else ""


def _labels(tree: Placed | None) -> dict[str, str]:
    return {entry.key: _text(entry.value) for entry in tree.entries} if isinstance(tree, MapNode) else {}
