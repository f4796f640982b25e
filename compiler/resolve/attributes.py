"""Attributes of conditions, and what kind of value each has."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, assert_never
from urllib.parse import quote

from meshproof.compiler.ir.predicate import (
    Attribute,
    Claim,
    ClientIp,
    Header,
    Host,
    Method,
    Path,
    Port,
    Query,
    Sni,
    SourceIp,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
)
from meshproof.compiler.patterns.normal_form import is_visible
from meshproof.compiler.resolve.header_names import header_name
from meshproof.dsl.ast.expressions import (
    ClaimAttribute,
    Field,
    FieldAttribute,
    HeaderAttribute,
    QueryAttribute,
)

if TYPE_CHECKING:
    from meshproof.compiler.resolve.findings import Findings
    from meshproof.dsl.ast.expressions import Attribute as WrittenAttribute
    from meshproof.dsl.source import Span


class ValueKind(StrEnum):
    """What the values of an attribute are; the value is the word for it in messages."""

    ADDRESS = "an address"
    PORT = "a port number"
    METHOD = "a method"
    PATH = "a path"
    HOST = "a host name"
    QUERY = "a query value"
    TEXT = "text"


_FIELDS: dict[Field, tuple[Attribute, ValueKind]] = {
    Field.SOURCE_IP: (SourceIp(), ValueKind.ADDRESS),
    Field.CLIENT_IP: (ClientIp(), ValueKind.ADDRESS),
    Field.METHOD: (Method(), ValueKind.METHOD),
    Field.PATH: (Path(), ValueKind.PATH),
    Field.HOST: (Host(), ValueKind.HOST),
    Field.PORT: (Port(), ValueKind.PORT),
    Field.SNI: (Sni(), ValueKind.HOST),
    Field.TOKEN_ISSUER: (TokenIssuer(), ValueKind.TEXT),
    Field.TOKEN_SUBJECT: (TokenSubject(), ValueKind.TEXT),
    Field.TOKEN_AUDIENCE: (TokenAudience(), ValueKind.TEXT),
    Field.TOKEN_PRESENTER: (TokenPresenter(), ValueKind.TEXT),
}

_NEED_NO_ESCAPE = "!\"$%'()*+,-./:;<=>?@[\\]^_`{|}~"

ON_TCP = frozenset((Field.SOURCE_IP, Field.CLIENT_IP, Field.PORT, Field.SNI))
"""The attributes that a connection has without HTTP."""


def resolve_attribute(written: WrittenAttribute, findings: Findings) -> tuple[Attribute, ValueKind] | None:
    """The attribute and its kind; None, and a finding, for a header that cannot be read."""
    match written:
        case FieldAttribute(field):
            return _FIELDS[field]
        case HeaderAttribute(name):
            lower = header_name(name, written.span, findings)
            return None if lower is None else (Header(lower), ValueKind.TEXT)
        case QueryAttribute(name):
            return (Query(name), ValueKind.QUERY) if is_sendable(name, written.span, findings, "=") else None
        case ClaimAttribute(path):
            return Claim(path), ValueKind.TEXT
        case _ as never:
            assert_never(never)


def is_sendable(text: str, at: Span, findings: Findings, separators: str = "") -> bool:
    """Whether a query can hold that text as it is sent; if not, that is a finding. `separators` end it too."""
    if all(is_visible(char) and char not in f"&#{separators}" for char in text):
        return True
    escaped = quote(text, safe=_NEED_NO_ESCAPE.replace("=", "") if separators else _NEED_NO_ESCAPE)
    message = f"`{text}` is never in a query: it is compared as it is sent, undecoded"
    findings.add("MP220", message, at, help=f"write it escaped, `{escaped}`")
    return False


def written_attribute(written: WrittenAttribute) -> str:
    """The attribute as it stands in a policy."""
    match written:
        case FieldAttribute(field):
            return field.value
        case HeaderAttribute(name):
            return f'header["{name}"]'
        case QueryAttribute(name):
            return f'query["{name}"]'
        case ClaimAttribute(path):
            return "claim" + "".join(f'["{name}"]' for name in path)
        case _ as never:
            assert_never(never)
