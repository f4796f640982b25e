"""Conditions as the language writes them, for people. What only foreign files can say has a form of its own."""

from __future__ import annotations

from typing import assert_never

from meshproof.compiler.ir.json_text import quoted
from meshproof.compiler.ir.matchers import Cidr, Exact, Matcher, Prefix, Present, Regex, Segments, Suffix, Template
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Attribute,
    Claim,
    ClientIp,
    DestinationIp,
    Header,
    Host,
    JoinedHeader,
    Method,
    Never,
    Not,
    Opaque,
    Or,
    Path,
    Port,
    Predicate,
    Query,
    RawAuthority,
    RemoteIp,
    Sni,
    SourceIdentity,
    SourceIp,
    Test,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
)

_TOKEN: dict[tuple[str, ...], str] = {
    ("sub",): "token.subject",
    ("azp",): "token.presenter",
    ("aud",): "token.audience",
}
"""Claims that have names of their own."""


def predicate_text(predicate: Predicate) -> str:
    """The condition on one line, with parentheses where `and` and `or` meet."""
    return _text(predicate, is_inner=False)


def _text(predicate: Predicate, *, is_inner: bool) -> str:
    match predicate:
        case Always():
            return "always"
        case Never():
            return "never"
        case Test(attribute, matcher):
            return matcher_text(attribute, matcher)
        case Not(operand):
            return f"not {_text(operand, is_inner=True)}"
        case And(operands):
            return _joined(" and ", operands, is_inner=is_inner)
        case Or(operands):
            return _joined(" or ", operands, is_inner=is_inner)
        case Opaque(field):
            return f"`{field}`"
        case _:
            assert_never(predicate)


def _joined(word: str, operands: tuple[Predicate, ...], *, is_inner: bool) -> str:
    text = word.join(_text(operand, is_inner=True) for operand in operands)
    return f"({text})" if is_inner and len(operands) > 1 else text


def matcher_text(attribute: Attribute, matcher: Matcher) -> str:
    """One test, such as `header["x"] == "1"`."""
    name = attribute_name(attribute)
    match matcher:
        case Exact(value):
            return f"{name} == {quoted(value)}"
        case Prefix(value):
            return f"{name} startswith {quoted(value)}"
        case Suffix(value):
            return f"{name} endswith {quoted(value)}"
        case Segments(pattern) | Template(pattern):
            return f"{name} in {pattern}"
        case Regex(pattern):
            return f'{name} matches re"{pattern}"'
        case Present():
            return f"has {name}"
        case Cidr(network):
            return f"{name} in {quoted(network)}"
        case _:
            assert_never(matcher)


def attribute_name(attribute: Attribute) -> str:  # noqa: C901, PLR0911, PLR0912  one line an attribute
    """The attribute as the language writes it."""
    match attribute:
        case SourceIdentity():
            return "source"
        case SourceIp():
            return "source.ip"
        case ClientIp():
            return "client.ip"
        case RemoteIp():
            return "remote.ip"
        case DestinationIp():
            return "destination.ip"
        case Method():
            return "method"
        case Path():
            return "path"
        case Host() | RawAuthority():
            return "host"
        case Port():
            return "port"
        case Sni():
            return "sni"
        case Header(name):
            return f"header[{quoted(name)}]"
        case JoinedHeader(name):
            return f"joined header[{quoted(name)}]"
        case Query(name):
            return f"query[{quoted(name)}]"
        case TokenIssuer():
            return "token"
        case TokenSubject():
            return "token.subject"
        case TokenAudience():
            return "token.audience"
        case TokenPresenter():
            return "token.presenter"
        case Claim(path):
            return _TOKEN.get(path) or "claim" + "".join(f"[{quoted(part)}]" for part in path)
        case _:
            assert_never(attribute)
