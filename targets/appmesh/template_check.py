"""What is wrong with the resources of App Mesh in a template of CloudFormation, by the path in the template.

The template is judged as it is with the defaults of its parameters. What only a deployed stack knows, and whatever
hangs on it, is passed over: a finding is never about a text that is not settled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from meshproof.dsl.source import Span
from meshproof.targets.appmesh.lift.found import KINDS, Found
from meshproof.targets.appmesh.lift.templates import PREFIX, Declared, is_template, read_template
from meshproof.targets.appmesh.read import Reader
from meshproof.targets.appmesh.references import Key, key_of
from meshproof.targets.appmesh.rules import breaches
from meshproof.targets.appmesh.settled import is_settled
from meshproof.targets.appmesh.spelling import CLOUDFORMATION
from meshproof.targets.appmesh.together import DEFAULT, Misfit, Quotas, misfits
from meshproof.targets.appmesh.values import Value
from meshproof.targets.common.tree import DEPTH_MAX, Entry, Leaf, ListNode, MapNode, Placed

TemplatePath = tuple[str | int, ...]
"""Keys and numbers of entries, from the top of a template."""

UNKNOWN = "${}"
"""A name that is not known, as `lift.intrinsics` writes it."""


class Topic(Enum):
    """What a problem is about."""

    FIELD = "field"
    RULE = "rule"
    NAME = "name"
    REFERENCE = "reference"
    PORT = "port"
    QUOTA = "quota"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that App Mesh would refuse."""

    topic: Topic
    path: TemplatePath
    message: str


def problems(template: object, quotas: Quotas = DEFAULT) -> tuple[Problem, ...]:
    """Every problem of a template that was read from YAML or JSON, with the short forms of functions written out."""
    places = _Places()
    tree = places.placed(template, ())
    if not isinstance(tree, MapNode) or not is_template(tree):
        return ()
    checking = _Checking(tree, places)
    return (*checking.alone(), *checking.together(quotas))


@dataclass(slots=True)
class _Places:
    """Trees whose spans are numbers of paths."""

    paths: list[TemplatePath] = field(default_factory=list)

    def placed(self, value: object, path: TemplatePath) -> Placed:
        span = Span("", len(self.paths), len(self.paths) + 1)
        self.paths.append(path)
        if len(path) >= DEPTH_MAX:
            return Leaf(None, "", span)
        match value:
            case dict():
                return MapNode(tuple(self._entry(str(key), one, (*path, key)) for key, one in value.items()), span)
            case list():
                return ListNode(tuple(self.placed(one, (*path, index)) for index, one in enumerate(value)), span)
            case bool():
                return Leaf(value, "true" if value else "false", span)
            case str():
                return Leaf(str(value), str(value), span)
            case int() | float():
                return Leaf(value, str(value), span)
            case _:
                return Leaf(None, "", span)

    def _entry(self, key: str, value: object, path: TemplatePath) -> Entry:
        found = self.placed(value, path)
        return Entry(key, found.span, found)

    def path(self, span: Span) -> TemplatePath:
        return self.paths[span.start]


@dataclass(slots=True)
class _Checking:
    tree: MapNode
    places: _Places
    declared: dict[str, Declared] = field(default_factory=dict)
    found: list[Found[Value]] = field(default_factory=list)
    unsettled: set[Span] = field(default_factory=set)

    def alone(self) -> Iterator[Problem]:
        """What is wrong with each resource by itself."""
        for one in read_template(self.tree, {}).declared:
            self.declared[one.logical] = one
            yield from self._resource(one)

    def _resource(self, one: Declared) -> Iterator[Problem]:
        shape = KINDS.get(one.kind)
        if shape is None:
            return  # cfn-lint knows the types of CloudFormation
        self.unsettled.update(_unsettled(one.properties))
        reader = Reader(CLOUDFORMATION)
        value: Value | None = reader.read(shape, one.properties)
        for fault in reader.faults:
            said = f"{one.kind}{fault.path}: {fault.message}{f' ({fault.help})' if fault.help else ''}"
            yield from self._problem(Topic.FIELD, fault.span, said)
        if value is None:
            return
        found = Found(value, one.logical, one.properties, CLOUDFORMATION)
        self.found.append(found)
        for breach in breaches(value):
            yield from self._problem(Topic.RULE, found.place(*breach.path).span, breach.message)

    def together(self, quotas: Quotas) -> Iterator[Problem]:
        """What is wrong with the resources as a whole; `alone` has been asked before."""
        placed = {key_of(one.value): one for one in self.found}
        named = self._named()
        for misfit in misfits([one.value for one in self.found], quotas):
            if misfit.missed is None or _is_missed(misfit.missed, named):
                yield from self._problem(Topic(misfit.concern.value), self._place(misfit, placed), misfit.message)

    def _named(self) -> dict[str, set[tuple[str, str]]]:
        """The meshes and names of all that is declared, by kind, read or refused; what is not known is `${...}`."""
        found: dict[str, set[tuple[str, str]]] = {}
        resources = self.tree.get("Resources")
        for entry in resources.entries if isinstance(resources, MapNode) else ():
            kind = entry.value.get("Type") if isinstance(entry.value, MapNode) else None
            one = self.declared.get(entry.key)
            if one is not None:
                found.setdefault(one.kind, set()).add((_text(one, "MeshName"), _text(one, f"{one.kind}Name")))
            elif isinstance(kind, Leaf):  # only some deployments have it, or nobody knows what it is
                found.setdefault(kind.text.removeprefix(PREFIX), set()).add((UNKNOWN, UNKNOWN))
        return found

    def _place(self, misfit: Misfit, placed: dict[Key, Found[Value]]) -> Span:
        one = placed.get(misfit.key)
        if one is not None:
            return one.place(*misfit.path).span
        return (self.tree.get("Resources") or self.tree).span

    def _problem(self, topic: Topic, span: Span, message: str) -> Iterator[Problem]:
        if span not in self.unsettled:
            yield Problem(topic, self.places.path(span), message)


def _is_missed(key: Key, named: Mapping[str, Collection[tuple[str, str]]]) -> bool:
    """Whether the template tells of everything that a name could be of: it has the mesh, and all names are known."""
    mesh, name = key.names[0], key.name
    if (mesh, mesh) not in named.get("Mesh", ()):
        return False
    known = named.get(key.kind, ())
    return (mesh, name) not in known and all(is_settled(one) for names in known for one in names)


def _text(one: Declared, name: str) -> str:
    found = one.properties.get(name)
    return found.text if isinstance(found, Leaf) else UNKNOWN


def _unsettled(tree: Placed) -> Iterator[Span]:
    """The places of texts that are not known whole."""
    match tree:
        case Leaf(_, text):
            if not is_settled(text):
                yield tree.span
        case ListNode(items):
            for one in items:
                yield from _unsettled(one)
        case MapNode(entries):
            for entry in entries:
                yield from _unsettled(entry.value)
