"""Names, values, sets, operations and conditions as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeAlias, assert_never

from meshproof.dsl.ast.expressions import (
    AllOf,
    AnyOf,
    Attribute,
    ClaimAttribute,
    EndsWith,
    Equals,
    Expression,
    FieldAttribute,
    Has,
    HasToken,
    HeaderAttribute,
    InNetwork,
    Matches,
    Not,
    OneOf,
    PathIn,
    QueryAttribute,
    SourceIn,
    StartsWith,
    TokenFrom,
)
from meshproof.dsl.ast.node import Node
from meshproof.dsl.ast.operations import CallOperation, HttpOperation, Operation
from meshproof.dsl.ast.sets import (
    AllServices,
    Anyone,
    AtPort,
    Authenticated,
    Braces,
    Except,
    Identity,
    Internet,
    Intersection,
    Named,
    NamespaceSet,
    Plaintext,
    SetExpression,
    Tagged,
    Union,
)
from meshproof.dsl.ast.values import Date, Duration, Name, Number, Percent, PortRef, Scalar, Text, ValueRef
from meshproof.dsl.format.item import Item, Region, fixed
from meshproof.dsl.parser.lexer import is_bare_name
from meshproof.dsl.tree_to_ast.strings import encode
from meshproof.dsl.visitor import walk

CLAIM_WORDS = frozenset({"because", "bypassing", "call", "env", "of", "owner", "until", "with", "within"})
"""The words that are quoted as the first word of a claim: they could go on with what stands before it."""

CASE_WORDS = frozenset({"by", "env"})
"""The same for a test line."""

GIVEN_WORDS = frozenset({"claim", "header", "host", "method", "path", "port", "query", "sni", "token"})
"""The words that are quoted as the name of an authorizer that is given: they are attributes."""

Listing: TypeAlias = Callable[[str, Sequence[Item], Region], str]
"""Lays out a list in brackets."""


def name(node: Name) -> str:
    """A name, quoted if it must be."""
    return node.text if is_bare_name(node.text) else encode(node.text)


def first_name(node: Name, words: frozenset[str] = CLAIM_WORDS | CASE_WORDS) -> str:
    """A name where some words would be read as keywords."""
    return encode(node.text) if node.text in words else name(node)


def scalar(node: Scalar | Name | Percent | Date | Duration) -> str:
    """A value in one word."""
    match node:
        case Text(value):
            return encode(value)
        case Number(amount):
            return str(amount)
        case ValueRef(reference):
            return f"${reference}"
        case Name():
            return name(node)
        case Percent(share):
            return f"{share}%"
        case Date(day):
            return day.isoformat()
        case Duration(amount, unit):
            return f"{amount}{unit.value}"
        case _:
            assert_never(node)


def comma_separated(texts: Iterable[str]) -> tuple[str, ...]:
    """Each text with its comma, so that a list may be broken between them."""
    listed = tuple(texts)
    return (*(f"{text}," for text in listed[:-1]), *listed[-1:])


def place_of(*nodes: Node) -> Region:
    """From the start of the first to the end of the last."""
    return nodes[0].span.start, nodes[-1].span.end


def regions_of(*nodes: Node | None) -> tuple[Region, ...]:
    """The lists in brackets below some nodes."""
    found: list[Region] = []
    for node in nodes:
        for part in walk(node) if node is not None else ():
            if isinstance(part, Braces):
                found.append(_inside(part))
            elif isinstance(part, OneOf):
                found.append((part.attribute.span.end, part.span.end))
    return tuple(found)


def _inside(node: Braces) -> Region:
    return node.span.start, node.span.end


def port(node: PortRef | None) -> str:
    """`:PORT`, or nothing."""
    return "" if node is None else f":{scalar(node)}"


def operation(node: Operation) -> tuple[str, ...]:
    """An operation as cells: methods and path, or a call."""
    match node:
        case HttpOperation(methods, path):
            return "|".join(methods) or "*", path.text
        case CallOperation(service, method):
            return (f"call {service}/{method or '*'}",)
        case _:
            assert_never(node)


def operations(nodes: Iterable[Operation]) -> tuple[str, ...]:
    """Operations one after the other."""
    return tuple(" ".join(operation(node)) for node in nodes)


_SET_WORDS: dict[type[Node], str] = {
    AllServices: "all",
    Authenticated: "authenticated",
    Plaintext: "plaintext",
    Anyone: "anyone",
    Internet: "internet",
}


class Words:
    """What needs the layout: lists in braces."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    def set(self, node: SetExpression, *, is_first: bool = False) -> str:
        """A set; `is_first` where some words would be read as keywords."""
        match node:
            case Named(named):
                return first_name(named) if is_first else name(named)
            case NamespaceSet(namespace, domain):
                return f"namespace {name(namespace)}" + (f" of {scalar(domain)}" if domain else "")
            case Tagged(tag):
                return f"tagged {name(tag)}"
            case Identity(uri):
                return f"identity {scalar(uri)}"
            case AllServices() | Authenticated() | Plaintext() | Anyone() | Internet():
                return _SET_WORDS[type(node)]
            case Braces(items):
                return self._braces(node, items)
            case AtPort(base, at):
                return f"{self.set(base, is_first=is_first)}{port(at)}"
            case Except(base, removed):
                return f"{self.set(base, is_first=is_first)} except {self.set(removed)}"
            case Union(operands):
                return self._joined(" or ", operands, is_first=is_first)
            case Intersection(operands):
                return self._joined(" and ", operands, is_first=is_first)
            case _:
                assert_never(node)

    def _joined(self, operator: str, operands: Sequence[SetExpression], *, is_first: bool) -> str:
        return operator.join(self.set(one, is_first=is_first and not index) for index, one in enumerate(operands))

    def _braces(self, node: Braces, items: Sequence[SetExpression]) -> str:
        members = [Item(place_of(item), partial(self._member, item), regions=regions_of(item)) for item in items]
        return self._listing("{}", members, _inside(node))

    def _member(self, node: SetExpression) -> tuple[str, ...]:
        return (self.set(node),)

    # ---- conditions

    def condition(self, node: Expression) -> tuple[str, ...]:
        """A condition as cells, one an operand, so that it may be broken between them."""
        match node:
            case AllOf(operands):
                return _operands("and", [self._operand(one) for one in operands])
            case AnyOf(operands):
                return _operands("or", [self._operand(one) for one in operands])
            case _:
                return (self._operand(node),)

    def _operand(self, node: Expression) -> str:
        match node:
            case AllOf() | AnyOf():
                return f"({' '.join(self.condition(node))})"
            case Not(inner):
                return f"not {self._operand(inner)}"
            case SourceIn(callers):
                return f"source in {self.set(callers)}"
            case Equals(attribute, value, is_negated):
                return f"{self.attribute(attribute)} {'!=' if is_negated else '=='} {scalar(value)}"
            case Has(attribute):
                return f"has {self.attribute(attribute)}"
            case HasToken():
                return "has token"
            case TokenFrom(issuer):
                return f"token from {name(issuer)}"
            case _:
                return self._match(node)

    def _match(self, node: OneOf | InNetwork | PathIn | StartsWith | EndsWith | Matches) -> str:
        match node:
            case OneOf(attribute, values):
                return self._one_of(node, attribute, values)
            case InNetwork(attribute, network):
                return f"{self.attribute(attribute)} in {scalar(network)}"
            case PathIn(pattern):
                return f"path in {pattern.text}"
            case StartsWith(attribute, prefix):
                return f"{self.attribute(attribute)} startswith {scalar(prefix)}"
            case EndsWith(attribute, suffix):
                return f"{self.attribute(attribute)} endswith {scalar(suffix)}"
            case Matches(attribute, regex):
                return f'{self.attribute(attribute)} matches re"{regex.pattern}"'
            case _:
                assert_never(node)

    def _one_of(self, node: OneOf, attribute: Attribute, values: Sequence[Scalar]) -> str:
        members = [Item(place_of(value), fixed(scalar(value))) for value in values]
        listed = self._listing("[]", members, (attribute.span.end, node.span.end))
        return f"{self.attribute(attribute)} in {listed}"

    def attribute(self, node: Attribute) -> str:
        """An attribute."""
        match node:
            case FieldAttribute(field):
                return field.value
            case HeaderAttribute(key):
                return f"header[{encode(key)}]"
            case QueryAttribute(key):
                return f"query[{encode(key)}]"
            case ClaimAttribute(path):
                return "claim" + "".join(f"[{encode(key)}]" for key in path)
            case _:
                assert_never(node)


def _operands(operator: str, texts: Sequence[str]) -> tuple[str, ...]:
    return texts[0], *(f"{operator} {text}" for text in texts[1:])
