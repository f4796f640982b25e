"""The resources of App Mesh in a CloudFormation template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.source import Span
from meshproof.targets.appmesh.lift.findings import UNSETTLED, finding
from meshproof.targets.appmesh.lift.intrinsics import Scope, UnsettledError
from meshproof.targets.common.tree import Entry, Leaf, ListNode, MapNode, Placed

PREFIX = "AWS::AppMesh::"
_NAME_OF = {
    "Mesh": "MeshName",
    "VirtualNode": "VirtualNodeName",
    "VirtualService": "VirtualServiceName",
    "VirtualRouter": "VirtualRouterName",
    "Route": "RouteName",
    "VirtualGateway": "VirtualGatewayName",
    "GatewayRoute": "GatewayRouteName",
}


@dataclass(frozen=True, slots=True)
class Declared:
    """A resource of a template, worked out. `logical` is its name there, `kind` that of App Mesh."""

    kind: str
    logical: str
    properties: MapNode


@dataclass(frozen=True, slots=True)
class Template:
    """What a template declares: resources and names of parameters. `others` are types that are not App Mesh's."""

    declared: tuple[Declared, ...]
    others: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    parameters: frozenset[str]


def is_template(tree: MapNode) -> bool:
    """Whether a document is a template: it has resources with a `Type`."""
    resources = tree.get("Resources")
    return isinstance(resources, MapNode) and any(_type_of(entry) for entry in resources.entries)


def read_template(tree: MapNode, given: Mapping[str, str]) -> Template:
    """The resources of App Mesh, with `given` values of parameters in place of their defaults."""
    reading = _Reading(tree, dict(given))
    declared = tuple(reading.declared())
    types = (_type_of(entry) for entry in reading.resources.entries)
    others = tuple(one for one in types if not one.startswith(PREFIX))
    parameters = _map(tree.get("Parameters"), tree.span).entries
    return Template(declared, others, tuple(reading.diagnostics), frozenset(entry.key for entry in parameters))


@dataclass(slots=True)
class _Reading:
    tree: MapNode
    given: dict[str, str]
    diagnostics: list[Diagnostic] = field(default_factory=list)
    scope: Scope = field(init=False)
    resources: MapNode = field(init=False)

    def __post_init__(self) -> None:
        self.resources = _map(self.tree.get("Resources"), self.tree.span)
        mappings, conditions = self.tree.get("Mappings"), self.tree.get("Conditions")
        self.scope = Scope(
            dict(self._parameters()),
            mappings if isinstance(mappings, MapNode) else None,
            conditions if isinstance(conditions, MapNode) else None,
            partial(_attribute, self),
        )

    def _parameters(self) -> Iterator[tuple[str, Placed]]:
        for entry in _map(self.tree.get("Parameters"), self.tree.span).entries:
            told = _map(entry.value, entry.key_span)
            kind, default = told.get("Type"), told.get("Default")
            text = self.given.get(entry.key, default.text if isinstance(default, Leaf) else None)
            if text is not None:
                span = entry.key_span if default is None else default.span
                yield entry.key, _parameter(text, kind.text if isinstance(kind, Leaf) else "", span)
        yield from ((name, Leaf(text, text, self.tree.span)) for name, text in self.given.items() if ":" in name)

    def declared(self) -> Iterator[Declared]:
        for entry in self.resources.entries:
            if not _type_of(entry).startswith(PREFIX):
                continue
            try:
                found = self._resource(entry)
            except UnsettledError as error:
                self.diagnostics.append(finding(UNSETTLED, error.message, entry.key, error.span, error.advice))
            else:
                if found is not None:
                    yield found

    def _resource(self, entry: Entry) -> Declared | None:
        resource = _map(entry.value, entry.key_span)
        condition = resource.get("Condition")
        if isinstance(condition, Leaf) and not self.scope.holds(condition.text, condition.span):
            return None
        kind = _type_of(entry).removeprefix(PREFIX)
        properties = self.scope.value(_map(resource.get("Properties"), resource.span))
        if not isinstance(properties, MapNode):
            raise UnsettledError("the properties of a resource are a mapping", resource.span)
        name = _NAME_OF.get(kind, "")
        if name and properties.get(name) is None:
            named = Entry(name, entry.key_span, self._generated(entry))
            properties = MapNode((*properties.entries, named), properties.span)
        return Declared(kind, entry.key, properties)

    def _generated(self, entry: Entry) -> Leaf:
        """A name that CloudFormation makes up; it is the same wherever it is referred to."""
        return Leaf(text := f"${{{entry.key}}}", text, entry.key_span)


def _attribute(reading: _Reading, logical: str, attribute: str, span: Span) -> Placed | None:
    """A name that a resource of App Mesh was given. All else is known to the stack alone."""
    entry = reading.resources.entry(logical)
    if entry is None or not _type_of(entry).startswith(PREFIX):
        return None
    kind = _type_of(entry).removeprefix(PREFIX)
    if attribute not in {*_NAME_OF.values(), "MeshOwner"}:
        return None
    written = _map(_map(entry.value, entry.key_span).get("Properties"), span).get(attribute)
    if written is None:
        return reading._generated(entry) if attribute == _NAME_OF.get(kind) else None  # noqa: SLF001  of this module
    found = reading.scope.value(written)
    return Leaf(found.text, found.text, span) if isinstance(found, Leaf) else None


def _type_of(entry: Entry) -> str:
    found = entry.value.get("Type") if isinstance(entry.value, MapNode) else None
    return found.text if isinstance(found, Leaf) else ""


def _map(tree: Placed | None, span: Span) -> MapNode:
    return tree if isinstance(tree, MapNode) else MapNode((), span)


def _parameter(text: str, kind: str, span: Span) -> Placed:
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return ListNode(tuple(Leaf(part.strip(), part.strip(), span) for part in text.split(",")), span)
    return Leaf(text, text, span)
