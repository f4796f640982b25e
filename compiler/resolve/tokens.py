"""Who signs tokens, and who is asked: issuers and authorizers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import Authorizer, Issuer, TokenPlace
from meshproof.compiler.ir.names import AuthorizerName, IssuerName
from meshproof.compiler.resolve.header_names import header_name
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast import declarations as ast


def resolve_issuers(written: Iterable[ast.Issuer], ctx: Context) -> dict[str, Issuer]:
    """The issuers by name. A token tells its issuer by the URL alone, so two with one URL are a finding."""
    issuers: dict[str, Issuer] = {}
    by_url: dict[str, ast.Issuer] = {}
    for one in written:
        issuer = issuers[one.name.text] = resolve_issuer(one, ctx)
        first = by_url.setdefault(issuer.url, one) if issuer.url else one
        if first is not one:
            ctx.findings.add(
                "MP202",
                f"the issuers `{first.name.text}` and `{one.name.text}` have one url",
                one.name.span,
                "the second issuer",
                labels=(Label(first.name.span, "the first one"),),
                help="a token tells its issuer by the url: declare one issuer with all its audiences",
            )
    return issuers


def resolve_issuer(written: ast.Issuer, ctx: Context) -> Issuer:
    """The issuer; it needs a URL, which is the `iss` of its tokens."""
    name = written.name
    if written.url is None:
        ctx.findings.add(
            "MP209",
            f"the issuer `{name.text}` has no url",
            name.span,
            help='write the `iss` of its tokens: `url "https://…"`',
        )
    url = None if written.url is None else ctx.values.string(written.url)
    return Issuer(
        name=IssuerName(name.text),
        url=url or "",
        jwks=None if written.jwks is None else ctx.values.string(written.jwks),
        audiences=tuple(dict.fromkeys(ctx.values.strings(written.audiences))),
        origin=ctx.origin(written.span),
        place=None if written.location is None else _place(written.location, ctx),
        is_stripped=written.strip is not None,
    )


def _place(written: ast.TokenLocation, ctx: Context) -> TokenPlace | None:
    name = ctx.values.string(written.name)
    if name is not None and written.place.value == "header":
        name = header_name(name, written.name.span, ctx.findings)
    return None if name is None else TokenPlace(written.place.value, name)


def resolve_authorizer(written: ast.Authorizer, ctx: Context) -> Authorizer:
    """The authorizer; it needs an address, and speaks gRPC unless it says otherwise."""
    name = written.name
    if written.address is None:
        ctx.findings.add(
            "MP209",
            f"the authorizer `{name.text}` has no address",
            name.span,
            help='write `address "opa.authz:9191"`',
        )
    address = None if written.address is None else ctx.values.string(written.address)
    return Authorizer(
        name=AuthorizerName(name.text),
        address=address or "",
        protocol="grpc" if written.protocol is None else written.protocol.protocol.value,
        timeout_ms=None if written.timeout is None else written.timeout.milliseconds,
        origin=ctx.origin(written.span),
    )
