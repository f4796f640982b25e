"""Files as the resources that they hold: templates of CloudFormation, objects of Kubernetes, JSON of the API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from meshproof.compiler.backend.artifact import Artifact
from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.source import SourceFile
from meshproof.targets.appmesh.lift.findings import BAD_FIELD, UNKNOWN_FIELD, UNREADABLE, finding
from meshproof.targets.appmesh.lift.found import KINDS, Found, Owner, Resources
from meshproof.targets.appmesh.lift.intrinsics import TAGS
from meshproof.targets.appmesh.lift.kubernetes import is_custom_resource, read_custom_resources
from meshproof.targets.appmesh.lift.templates import is_template, read_template
from meshproof.targets.appmesh.read import Fault, Reader
from meshproof.targets.appmesh.residue.network import KIND
from meshproof.targets.appmesh.residue.security_groups import GROUP
from meshproof.targets.appmesh.rules import breaches
from meshproof.targets.appmesh.spelling import API, CLOUDFORMATION, Spelling
from meshproof.targets.appmesh.values import Value
from meshproof.targets.common.documents import read_documents
from meshproof.targets.common.tree import Leaf, ListNode, MapNode

_PLURALS = {
    "Mesh": "meshes",
    "VirtualNode": "nodes",
    "VirtualService": "services",
    "VirtualRouter": "routers",
    "Route": "routes",
    "VirtualGateway": "gateways",
    "GatewayRoute": "gateway_routes",
}
_TOLD = frozenset(("metadata", "status", "clientToken"))
"""What the API tells of a resource, or of a call, and is no part of the resource."""

_WRAPPED = {f"{kind[0].lower()}{kind[1:]}": kind for kind in KINDS}
_NAMES = (
    ("routeName", "Route"),
    ("gatewayRouteName", "GatewayRoute"),
    ("virtualNodeName", "VirtualNode"),
    ("virtualServiceName", "VirtualService"),
    ("virtualRouterName", "VirtualRouter"),
    ("virtualGatewayName", "VirtualGateway"),
    ("meshName", "Mesh"),
)
"""Which name tells the kind of a resource; a route names its router too, so it is asked for first."""


@dataclass(frozen=True, slots=True)
class Files:
    """What files hold.

    `skipped` are the kinds of what is not App Mesh's, with their number; of those `network` are NetworkPolicies.
    `groups` are templates with security groups.
    `parameters` are those that some template has.
    """

    resources: Resources
    sources: tuple[SourceFile, ...]
    skipped: tuple[tuple[str, int], ...]
    diagnostics: tuple[Diagnostic, ...]
    parameters: frozenset[str]
    network: tuple[MapNode, ...] = ()
    groups: tuple[MapNode, ...] = ()


def read_files(files: tuple[Artifact, ...], parameters: Mapping[str, str]) -> Files:
    """All resources in files. What cannot be read, or is refused by App Mesh, is an error with its place."""
    reading = _Reading(parameters)
    for file in files:
        reading.file(file)
    reading.custom_resources()
    found = {name: tuple(reading.found.get(kind, ())) for kind, name in _PLURALS.items()}
    return Files(
        Resources(**found),
        tuple(reading.sources),
        tuple(sorted(reading.skipped.items())),
        tuple(reading.diagnostics),
        frozenset(reading.declared),
        tuple(reading.network),
        tuple(reading.groups),
    )


@dataclass(slots=True)
class _Reading:
    parameters: Mapping[str, str]
    found: dict[str, list[Found[Any]]] = field(default_factory=dict)
    sources: list[SourceFile] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    custom: list[MapNode] = field(default_factory=list)
    declared: set[str] = field(default_factory=set)
    network: list[MapNode] = field(default_factory=list)
    groups: list[MapNode] = field(default_factory=list)

    def file(self, file: Artifact) -> None:
        """Everything in one file; objects of Kubernetes are kept until all are there."""
        documents = read_documents(file.path, file.content, TAGS)
        self.sources.append(documents.source)
        self.diagnostics.extend(documents.diagnostics)
        for tree in documents.trees:
            self._document(tree)

    def custom_resources(self) -> None:
        """The objects of Kubernetes of all files."""
        resources, diagnostics = read_custom_resources(tuple(self.custom))
        self.diagnostics.extend(diagnostics)
        for one in resources:
            self._resource(one.kind, one.tree, API, one.owner)

    def _document(self, tree: MapNode) -> None:
        items = tree.get("items")
        if is_template(tree):
            self._template(tree)
        elif tree.get("apiVersion") is not None and isinstance(items, ListNode):
            for item in items.items:
                if isinstance(item, MapNode):
                    self._document(item)
        elif is_custom_resource(tree):
            self.custom.append(tree)
        elif tree.get("apiVersion") is not None:
            kind = tree.get("kind")
            self.skipped[kind.text if isinstance(kind, Leaf) else "object"] += 1
            if isinstance(kind, Leaf) and kind.text == KIND:
                self.network.append(tree)
        else:
            self._call(tree)

    def _template(self, tree: MapNode) -> None:
        template = read_template(tree, self.parameters)
        self.diagnostics.extend(template.diagnostics)
        self.skipped.update(template.others)
        if any(kind.startswith(GROUP) for kind in template.others):
            self.groups.append(tree)
        self.declared |= template.parameters
        for one in template.declared:
            self._resource(one.kind, one.properties, CLOUDFORMATION)

    def _call(self, tree: MapNode) -> None:
        """JSON of the API: what a call takes, or what it answers."""
        inner = [(entry, _WRAPPED[entry.key]) for entry in tree.entries if entry.key in _WRAPPED]
        if inner and len(inner) == len(tree.entries):
            for entry, kind in inner:
                if isinstance(entry.value, MapNode):
                    self._resource(kind, _without(entry.value, _TOLD), API)
            return
        kinds = [kind for name, kind in _NAMES if tree.get(name) is not None]
        if not kinds:
            message = "this is no resource of App Mesh, no template and no object of Kubernetes"
            self.diagnostics.append(finding(UNREADABLE, message, "", tree.span))
            return
        self._resource(kinds[0], _without(tree, _TOLD), API)

    def _resource(self, kind: str, tree: MapNode, spelling: Spelling, owner: Owner | None = None) -> None:
        shape = KINDS.get(kind)
        if shape is None:
            self.diagnostics.append(finding(UNREADABLE, f"App Mesh has no `{kind}`", kind, tree.span))
            return
        reader = Reader(spelling)
        value: Value | None = reader.read(shape, tree)
        self.diagnostics.extend(_refused(kind, fault) for fault in reader.faults)
        if value is None:
            return
        found = Found(value, _name(kind, value), tree, spelling, owner)
        for breach in breaches(value):
            self.diagnostics.append(finding(BAD_FIELD, breach.message, found.name, found.place(*breach.path)))
        self.found.setdefault(kind, []).append(found)


def _name(kind: str, value: Value) -> str:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind).lstrip("_")
    return str(getattr(value, f"{snake}_name"))


def _refused(kind: str, fault: Fault) -> Diagnostic:
    code = UNKNOWN_FIELD if fault.is_unknown else BAD_FIELD
    message = f"{kind}{fault.path}: {fault.message}"
    return finding(code, message, kind, fault.span, fault.help)


def _without(tree: MapNode, names: frozenset[str]) -> MapNode:
    return MapNode(tuple(entry for entry in tree.entries if entry.key not in names), tree.span)
