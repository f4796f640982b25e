"""Services, gateways, externals and namespaces, with their defaults filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import Exemption, External, Gateway, Namespace, Need, Protocol, Service
from meshproof.compiler.ir.names import IssuerName, NodeName, SpiffeId
from meshproof.compiler.resolve.hosts import host_names
from meshproof.compiler.resolve.ports import find_port, resolve_ports
from meshproof.compiler.resolve.reasons import exemption
from meshproof.compiler.resolve.scope import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast import declarations as ast
    from meshproof.dsl.ast.values import Name, StringValue

_GATEWAY = frozenset((Kind.GATEWAY,))


def resolve_namespace(written: ast.Namespace, ctx: Context) -> Namespace:
    """The defaults of a namespace; its mTLS mode is a statement of its own."""
    return Namespace(
        name=written.name.text,
        origin=ctx.origin(written.span),
        owner=None if written.owner is None else written.owner.value,
        is_closed=written.closed is not None,
        files=tuple(pattern.value for pattern in written.files),
        observe=None if written.observe is None else exemption(written.observe),
    )


def resolve_service(written: ast.Service, inherited: Exemption | None, ctx: Context) -> Service | None:
    """The service without its `calls`; `inherited` is the `observe` of its namespace. None if it has no identity."""
    place = _place(written, ctx)
    if place is None:
        return None
    namespace, account, identity = place
    name = written.name.text
    platform_name = None if written.platform_name is None else ctx.values.string(written.platform_name)
    return Service(
        name=NodeName(name),
        namespace=namespace,
        platform_name=platform_name or name,
        account=account,
        identity=identity,
        labels=_labels(written.labels, ("app", name), ctx),
        ports=resolve_ports(written.ports, Kind.SERVICE, ctx),
        origin=ctx.origin(written.span),
        versions=_once(written.versions, "version", ctx),
        tags=tuple(sorted(_once(written.tags, "tag", ctx))),
        accepts=_accepts(written.accepts, ctx),
        observe=inherited if written.observe is None else exemption(written.observe),
    )


def resolve_gateway(written: ast.Gateway, ctx: Context) -> Gateway | None:
    """The gateway; None if it has no identity."""
    place = _place(written, ctx)
    if place is None:
        return None
    namespace, account, identity = place
    gateway = Gateway(
        name=NodeName(written.name.text),
        namespace=namespace,
        account=account,
        identity=identity,
        labels=_labels(written.labels, ("istio", written.name.text), ctx),
        hosts=host_names(written.hosts, ctx),
        ports=resolve_ports(written.ports, Kind.GATEWAY, ctx),
        origin=ctx.origin(written.span),
        certificate=_optional(written.certificate, ctx),
        client_ca=_optional(written.client_ca, ctx),
        trusted_proxies=(written.trusted_proxies and ctx.values.number(written.trusted_proxies)) or 0,
        accepts=_accepts(written.accepts, ctx),
    )
    _check_gateway(written, gateway, ctx)
    return gateway


def _check_gateway(written: ast.Gateway, gateway: Gateway, ctx: Context) -> None:
    if not written.ports:
        _missing(written.name, "gateway", "port", "write `port https 443 -> 8443`", ctx)
    ending = [port for port in gateway.ports if port.protocol is Protocol.HTTPS and not port.is_passthrough]
    if ending and written.certificate is None:
        ctx.findings.add(
            "MP237",
            f"`{gateway.name}` ends TLS without a certificate",
            ending[0].origin.span,
            help='name the secret that has it, `certificate "SECRET"`, or hand TLS on with `passthrough`',
            subject=gateway.name,
        )


def resolve_external(written: ast.External, ctx: Context) -> External:
    """The external; it needs a host and a port."""
    if not written.hosts:
        _missing(written.name, "external", "host", 'write `hosts "api.example.com"`', ctx)
    if not written.ports:
        _missing(written.name, "external", "port", "write `port https 443`", ctx)
    via = written.via
    is_known = via is not None and ctx.scope.find(via, _GATEWAY, ctx.findings) is not None
    return External(
        name=NodeName(written.name.text),
        hosts=host_names(written.hosts, ctx),
        ports=resolve_ports(written.ports, Kind.EXTERNAL, ctx),
        origin=ctx.origin(written.span),
        via=NodeName(via.text) if via is not None and is_known else None,
    )


def with_calls(service: Service, calls: Iterable[ast.Endpoint], ctx: Context) -> Service:
    """The service with the needs that it declares; every other node is known by now."""
    needs: list[Need] = []
    for written in calls:
        node = ctx.node(written.name)
        if node is None:
            continue
        port = None if written.port is None else find_port(node, written.port, ctx)
        if written.port is None or port is not None:
            needs.append(Need(node.name, None if port is None else port.workload, ctx.origin(written.span)))
    return replace(service, calls=tuple(needs))


def node_name(written: Name) -> NodeName:
    """The name of a node as the IR has it."""
    return NodeName(written.text)


def _place(written: ast.Service | ast.Gateway, ctx: Context) -> tuple[str, str, SpiffeId] | None:
    """Namespace, account and identity."""
    namespace = ctx.namespace if written.namespace is None else written.namespace.text
    if namespace is None:
        kind = "gateway" if hasattr(written, "certificate") else "service"
        advice = "write it here, or as the default in the mesh: `namespace NAME`"
        _missing(written.name, kind, "namespace", advice, ctx)
        return None
    account = written.name.text if written.account is None else written.account.text
    if written.identity is not None:
        uri = ctx.values.string(written.identity)
        at = written.identity.span
    else:
        uri = SpiffeId.of_account(ctx.domains.own, namespace, account).uri
        at = written.name.span
    identity = None if uri is None else ctx.domains.identity(uri)
    if uri is not None and identity is None:
        ctx.findings.add(
            "MP228",
            f"`{uri}` is no SPIFFE ID of a trust domain that is ours or trusted",
            at,
            help="an identity is `spiffe://TRUST-DOMAIN/PATH`; `trusts` in the mesh lists foreign domains",
        )
    return None if identity is None else (namespace, account, identity)


def _missing(name: Name, kind: str, part: str, advice: str, ctx: Context) -> None:
    ctx.findings.add("MP209", f"the {kind} `{name.text}` has no {part}", name.span, help=advice)


def _optional(written: StringValue | None, ctx: Context) -> str | None:
    return None if written is None else ctx.values.string(written)


def _labels(written: Iterable[ast.Label], default: tuple[str, str], ctx: Context) -> tuple[tuple[str, str], ...]:
    labels: dict[str, str] = {}
    for label in written:
        if label.key.text in labels:
            ctx.findings.add("MP202", f"the label `{label.key.text}` is given twice", label.span)
        value = ctx.values.string(label.value)
        labels[label.key.text] = "" if value is None else value
    return tuple(sorted(labels.items())) or (default,)


def _once(written: Iterable[Name], what: str, ctx: Context) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for name in written:
        if name.text in seen:
            ctx.findings.add("MP202", f"the {what} `{name.text}` is given twice", name.span)
        seen[name.text] = None
    return tuple(seen)


def _accepts(written: Iterable[Name], ctx: Context) -> tuple[IssuerName, ...]:
    found = (ctx.issuer(name) for name in written)
    return tuple(sorted({issuer.name for issuer in found if issuer is not None}))
