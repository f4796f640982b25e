"""What the variables are called where people read them: as the language writes attributes."""

from __future__ import annotations

from typing import assert_never

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
    RawAuthority,
    Sni,
    SourceIdentity,
    SourceIp,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
)
from meshproof.compiler.smt.environment import Environment

_TOKEN: dict[tuple[str, ...], str] = {
    ("sub",): "token.subject",
    ("azp",): "token.presenter",
    ("aud",): "token.audience",
}


def field_names(environment: Environment) -> dict[int, str]:
    """The field of a request that each variable is a value of; those of what is not modelled have none."""
    names = {environment.caller: "source"}
    for attribute, single in environment.singles.items():
        names.setdefault(single.variable, attribute_name(attribute))
    for attribute, multiple in environment.multiples.items():
        names.update(dict.fromkeys(multiple.variables, attribute_name(attribute)))
    for authorizer, variable in environment.answers.items():
        names[variable] = f"answer of {authorizer}"
    if environment.issuer is not None:
        names[environment.issuer] = "token"
    return names


def attribute_name(attribute: Attribute) -> str:  # noqa: C901, PLR0911, PLR0912  one line an attribute
    """The attribute as the language writes it."""
    match attribute:
        case SourceIdentity():
            return "source"
        case SourceIp():
            return "source.ip"
        case ClientIp():
            return "client.ip"
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
            return f'header["{name}"]'
        case Query(name):
            return f'query["{name}"]'
        case TokenIssuer():
            return "token"
        case TokenSubject():
            return "token.subject"
        case TokenAudience():
            return "token.audience"
        case TokenPresenter():
            return "token.presenter"
        case Claim(path):
            return _TOKEN.get(path) or "claim" + "".join(f'["{name}"]' for name in path)
        case _:
            assert_never(attribute)
