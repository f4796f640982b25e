"""Conditions and operations as the language writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meshproof.compiler.express.hosts import with_plain_hosts
from meshproof.compiler.express.inexpressible import InexpressibleError, not_modelled
from meshproof.compiler.express.sets import caller_set
from meshproof.compiler.ir.matchers import Cidr, Exact, Matcher, Prefix, Present, Regex, Segments, Suffix, Template
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Attribute,
    Claim,
    ClientIp,
    Header,
    Host,
    Method,
    Not,
    Opaque,
    Or,
    Path,
    Port,
    Predicate,
    Query,
    RawAuthority,
    Sni,
    SourceIdentity,
    SourceIp,
    Test,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
)
from meshproof.compiler.ir.predicate_text import attribute_name
from meshproof.compiler.patterns.normal_form import segment_fault
from meshproof.dsl.ast import expressions as ast
from meshproof.dsl.ast import operations as written
from meshproof.dsl.ast.sets import Braces, Named, NamespaceSet
from meshproof.dsl.ast.values import Name, Number, Text
from meshproof.dsl.ast.values import Regex as WrittenRegex

if TYPE_CHECKING:
    from meshproof.compiler.express.names import Names
    from meshproof.compiler.express.sets import Domains
    from meshproof.compiler.ir.authz import Operation

_CALL = re.compile(r"/([A-Za-z_][\w.]*\.[A-Za-z_]\w*)/([A-Za-z_]\w*)")
_SERVICE = re.compile(r"/([A-Za-z_][\w.]*\.[A-Za-z_]\w*)/\*")
_TEMPLATE_SEGMENT = r"[^/\[\]]+"
_TEMPLATE_REST = r"[^\[\]]*"
"""What the operators take of a normal path: the rest of what they do not take is percent-encoded before."""
_FIELDS: dict[type[Attribute], ast.Field] = {
    SourceIp: ast.Field.SOURCE_IP,
    ClientIp: ast.Field.CLIENT_IP,
    Method: ast.Field.METHOD,
    Path: ast.Field.PATH,
    Host: ast.Field.HOST,
    Port: ast.Field.PORT,
    Sni: ast.Field.SNI,
    TokenIssuer: ast.Field.TOKEN_ISSUER,
    TokenSubject: ast.Field.TOKEN_SUBJECT,
    TokenAudience: ast.Field.TOKEN_AUDIENCE,
    TokenPresenter: ast.Field.TOKEN_PRESENTER,
}

_COMPARED = (*_FIELDS, Header, Query, Claim)
"""The attributes that the language compares with values."""


def operation(found: Operation) -> written.Operation | None:
    """The operation, if it is a method and a pattern of whole segments; None if only a condition can say it."""
    match found.path:
        case None:
            return written.HttpOperation(found.methods, written.PathPattern((), has_rest=True))
        case Exact(path, False):
            call = _CALL.fullmatch(path)
            if call is not None and found.methods == ("POST",):
                return written.CallOperation(call[1], call[2])
            segments = _literals(path)
            return None if segments is None else written.HttpOperation(found.methods, written.PathPattern(segments))
        case Segments(pattern):
            call = _SERVICE.fullmatch(pattern)
            if call is not None and found.methods == ("POST",):
                return written.CallOperation(call[1], None)
            return written.HttpOperation(found.methods, _pattern(pattern))
        case _:
            return None


def path_pattern(text: str) -> written.PathPattern | None:
    """A path, or a pattern with `*` for segments and `**` for a rest; None if the language has no such pattern."""
    if text.endswith("/**"):
        base = text.removesuffix("/**")
        segments = _segments(base) if base else ()
        return None if segments is None else written.PathPattern(segments, has_rest=True)
    segments = _segments(text)
    return None if segments is None else written.PathPattern(segments)


def _segments(path: str) -> tuple[written.Segment, ...] | None:
    parts = path[1:].split("/") if path.startswith("/") else [""]
    found: list[written.Segment] = []
    for number, part in enumerate(parts):
        literal = () if part == "*" else _literals(f"/{part}")
        if literal is None or not path.startswith("/") or (not part and number < len(parts) - 1):
            return None
        found.extend(literal or (written.AnySegment(),))
    return tuple(found)


def _literals(path: str) -> tuple[written.Segment, ...] | None:
    """The segments of a normal path without anything that a pattern would read as its own."""
    if not path.startswith("/") or "{" in path or "*" in path:
        return None
    parts = path[1:].split("/")
    whole = parts if parts[-1] else parts[:-1]
    if "" in whole or any(segment_fault(part) is not None for part in whole):
        return None
    return tuple(written.LiteralSegment(part) for part in parts)


def _pattern(text: str) -> written.PathPattern:
    parts = text[1:].split("/")
    has_rest = parts[-1] == "**"
    kept = parts[:-1] if has_rest else parts
    return written.PathPattern(
        tuple(written.AnySegment() if part == "*" else written.LiteralSegment(part) for part in kept), has_rest
    )


class Conditions:
    """Writes conditions, with the names of a policy. Everything raises InexpressibleError."""

    def __init__(self, names: Names, domains: Domains) -> None:
        self._names = names
        self._domains = domains

    def expressions(self, predicate: Predicate) -> tuple[ast.Expression, ...]:
        """The condition as `when` clauses, all of which must hold."""
        match with_plain_hosts(predicate):
            case Always():
                return ()
            case And(operands):
                return tuple(self.expression(one) for one in operands)
            case plain:
                return (self.expression(plain),)

    def expression(self, predicate: Predicate) -> ast.Expression:
        """The condition as one expression."""
        match with_plain_hosts(predicate):
            case Opaque() as unknown:
                raise not_modelled(unknown)
            case Test(SourceIdentity()) | Not(Test(SourceIdentity())) as callers:
                return self._callers(callers)
            case Test(attribute, matcher):
                return self._test(attribute, matcher)
            case Not(Not(operand)):
                return self.expression(operand)
            case Not(Test(attribute, Exact(value, False))) if isinstance(attribute, _COMPARED):
                return ast.Equals(_attribute(attribute), _scalar(attribute, value), is_negated=True)
            case And((operand,)) | Or((operand,)):
                return self.expression(operand)
            case Not(operand):
                inner = self.expression(operand)
                return inner.operand if isinstance(inner, ast.Not) else ast.Not(inner)
            case And(operands):
                return ast.AllOf(tuple(self.expression(one) for one in operands))
            case Or(operands):
                return self._any(operands)
            case _:
                raise InexpressibleError("its condition is one that no request or every request meets")

    def _callers(self, predicate: Predicate) -> ast.Expression:
        """A test of the caller inside of a condition."""
        found = caller_set(predicate, self._names, self._domains)
        return ast.SourceIn(found if isinstance(found, Named | NamespaceSet) else Braces((found,)))

    def _any(self, operands: tuple[Predicate, ...]) -> ast.Expression:
        """Several exact values of one attribute as a list."""
        attributes = {one.attribute for one in operands if isinstance(one, Test)}
        values = [
            one.matcher.value
            for one in operands
            if isinstance(one, Test) and isinstance(one.matcher, Exact) and not one.matcher.ignore_case
        ]
        if len(attributes) == 1 and len(values) == len(operands):
            (attribute,) = attributes
            if not isinstance(attribute, RawAuthority):
                texts = tuple(_scalar(attribute, value) for value in values)
                return ast.OneOf(_attribute(attribute), texts)
        return ast.AnyOf(tuple(self.expression(one) for one in operands))

    def _test(self, attribute: Attribute, matcher: Matcher) -> ast.Expression:
        if isinstance(attribute, TokenIssuer):
            return self._issuer(matcher)
        if isinstance(attribute, RawAuthority):
            raise InexpressibleError("it compares the host as it was sent, with its port")
        name = _attribute(attribute)
        match matcher:
            case Present():
                return ast.Has(name)
            case Exact(value, ignore_case) if not ignore_case or isinstance(attribute, Host):
                return ast.Equals(name, _scalar(attribute, value))
            case Prefix(value, ignore_case) if not ignore_case or isinstance(attribute, Host):
                return ast.StartsWith(name, Text(value))
            case Suffix(value, ignore_case) if not ignore_case or isinstance(attribute, Host):
                return ast.EndsWith(name, Text(value))
            case Segments(pattern):
                return ast.PathIn(_pattern(pattern))
            case Template(text):
                return ast.Matches(name, WrittenRegex(_regex(text)))
            case Regex(text):
                return ast.Matches(name, WrittenRegex(text.replace('"', r"\x22")))
            case Cidr(network):
                return ast.InNetwork(name, Text(network))
            case _:
                raise InexpressibleError(f"it compares {attribute_name(attribute)} without case")

    def _issuer(self, matcher: Matcher) -> ast.Expression:
        """The issuer of the token: presence is a token at all, and a known one has a name."""
        match matcher:
            case Present():
                return ast.HasToken()
            case Exact(url, False) if url in self._names.urls:
                return ast.TokenFrom(Name(self._names.urls[url]))
            case Exact(url, False):
                return ast.Equals(ast.FieldAttribute(ast.Field.TOKEN_ISSUER), Text(url))
            case Prefix(value, False):
                return ast.StartsWith(ast.FieldAttribute(ast.Field.TOKEN_ISSUER), Text(value))
            case Suffix(value, False):
                return ast.EndsWith(ast.FieldAttribute(ast.Field.TOKEN_ISSUER), Text(value))
            case Regex(text):
                return ast.Matches(ast.FieldAttribute(ast.Field.TOKEN_ISSUER), WrittenRegex(text.replace('"', r"\x22")))
            case _:
                raise InexpressibleError("it compares the issuer of the token in a way of its own")


def _attribute(attribute: Attribute) -> ast.Attribute:
    match attribute:
        case Header(name):
            return ast.HeaderAttribute(name)
        case Query(name):
            return ast.QueryAttribute(name)
        case Claim(path):
            return ast.ClaimAttribute(path)
        case _:
            field = _FIELDS.get(type(attribute))
            if field is None:
                raise InexpressibleError(f"it reads `{attribute_name(attribute)}`, for which the language has no word")
            return ast.FieldAttribute(field)


def _scalar(attribute: Attribute, value: str) -> Text | Number:
    return Number(int(value)) if isinstance(attribute, Port) and value.isdecimal() else Text(value)


def _regex(template: str) -> str:
    """A path template of Istio as a regular expression (Envoy's `uri_template`)."""
    parts = re.split(r"(\{\*\*\}|\{\*\})", template)
    forms = {"{*}": _TEMPLATE_SEGMENT, "{**}": _TEMPLATE_REST}
    return "".join(forms.get(part) or re.sub(r"([.\\+*?()\[\]{}|^$])", r"\\\1", part) for part in parts)
