"""The request that a test line speaks of, one for each member of its source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

from meshproof.compiler.ir.entities import External, Gateway, Layer, Node, Protocol, Service, ServicePort
from meshproof.compiler.ir.names import AuthorizerName
from meshproof.compiler.ir.predicate import Attribute, ClientIp, Header, Host, Query, Sni, SourceIp
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.resolve.attributes import written_attribute
from meshproof.compiler.resolve.case_sources import source_identities
from meshproof.compiler.resolve.case_tokens import TokenDraft
from meshproof.compiler.resolve.givens import given_value
from meshproof.compiler.resolve.ports import find_port, is_unseen
from meshproof.dsl.ast import tests as ast
from meshproof.dsl.ast.operations import CallOperation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.declarations import Endpoint
    from meshproof.dsl.source import Span

_TLS = (Protocol.HTTPS, Protocol.TLS)


def case_requests(written: ast.CaseRequest, ctx: Context) -> tuple[Request, ...] | None:
    """The requests; None if the line does not make any, and why is among the findings."""
    called = _called(written.destination, ctx)
    identities = source_identities(written.source, None if called is None else called[0], ctx)
    if called is None:
        return None
    node, port = called
    is_connection = port.layer is Layer.TCP or (port.layer is Layer.SNIFFED and written.operation is None)
    draft = _Draft(node, port, is_connection)
    draft.read(written.givens, ctx)
    request = draft.request(written, ctx)
    if request is None or not identities:
        return None
    return tuple(replace(request, source=Peer(identity, draft.source_ip)) for identity in identities)


def _called(written: Endpoint, ctx: Context) -> tuple[Node, ServicePort] | None:
    node = ctx.node(written.name)
    if node is None:
        return None
    if written.port is not None:
        port = find_port(node, written.port, ctx)
        return None if port is None else (node, port)
    if len(node.ports) == 1:
        return node, node.ports[0]
    if is_unseen(node, ctx):
        message = f"no file says on which ports `{node.name}` listens"
        ctx.findings.add("MP233", message, written.span, help=f'write the number, as in `"{node.name}":8080`')
        return None
    if not node.ports:
        ctx.findings.add("MP218", f"`{node.name}` has no port: it only calls", written.span)
        return None
    names = ", ".join(f"`{node.name}:{port.name}`" for port in node.ports)
    ctx.findings.add("MP233", f"which port of `{node.name}` is called?", written.span, help=f"write one of {names}")
    return None


def default_host(node: Node) -> str | None:
    """The host that a caller asks for: the platform's name, or the first host, `www` standing for its `*`."""
    match node:
        case Service():
            return node.platform_name
        case Gateway() | External():
            host = node.hosts[0] if node.hosts else None
            return "www.example.com" if host == "*" else host and host.replace("*", "www", 1)
        case _ as never:
            assert_never(never)


@dataclass(slots=True)
class _Draft:
    """A request while the givens of a line are read. `is_tcp`: the destination sees a connection."""

    node: Node
    port: ServicePort
    is_tcp: bool
    token: TokenDraft = field(default_factory=TokenDraft)
    headers: list[tuple[str, str]] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    answers: dict[AuthorizerName, bool] = field(default_factory=dict)
    single: dict[type[Attribute], str] = field(default_factory=dict)
    day: date | None = None

    @property
    def source_ip(self) -> str | None:
        """The caller's address, if it is given."""
        return self.single.get(SourceIp)

    def read(self, givens: Iterable[ast.Given], ctx: Context) -> None:
        """Take what is given."""
        for given in givens:
            match given:
                case ast.GivenAttribute():
                    self._attribute(given, ctx)
                case ast.GivenToken(name):
                    self.token.issuer = ctx.issuer(name)
                    self._only_http(given.span, ctx)
                case ast.GivenInvalidToken():
                    self.token.is_invalid = True
                    self._only_http(given.span, ctx)
                case ast.GivenDay(day):
                    self.day = day.value
                case ast.GivenAnswer(name, answer):
                    authorizer = ctx.authorizer(name)
                    if authorizer is not None:
                        self.answers[authorizer.name] = answer is ast.Answer.ALLOW
                case _ as never:
                    assert_never(never)

    def _only_http(self, at: Span, ctx: Context) -> None:
        if self.is_tcp:
            port = f"{self.node.name}:{self.port.name}"
            ctx.findings.add("MP217", f"`{port}` carries TCP, and this speaks of HTTP", at)

    def _attribute(self, given: ast.GivenAttribute, ctx: Context) -> None:
        found = given_value(given, ctx)
        if found is None:
            return
        attribute, value = found
        if not isinstance(attribute, SourceIp | ClientIp | Sni):
            self._only_http(given.span, ctx)
        if isinstance(attribute, Header):
            self.headers.append((attribute.name, value))
        elif isinstance(attribute, Query):
            self.parameters.append(f"{attribute.name}={value}")
        elif isinstance(attribute, SourceIp | ClientIp | Host | Sni):
            self._single(attribute, value, given, ctx)
        elif not self.token.add(attribute, value, given.span):
            word = written_attribute(given.attribute)
            message = f"`{word}` is said by the rest of the line, not by `with`"
            ctx.findings.add("MP233", message, given.span)

    def _single(self, attribute: Attribute, value: str, given: ast.GivenAttribute, ctx: Context) -> None:
        if type(attribute) in self.single:
            message = f"a request has one `{written_attribute(given.attribute)}`, and it is given twice"
            ctx.findings.add("MP233", message, given.span)
        self.single[type(attribute)] = value

    def request(self, written: ast.CaseRequest, ctx: Context) -> Request | None:
        """The request, from a caller that is still to be filled in."""
        operation = written.operation
        host = self.single.get(Host, default_host(self.node))
        base = Request(
            source=Peer(None),
            destination=self.node.name,
            port=self.port.workload,
            protocol=RequestProtocol.TCP,
            client_ip=self.single.get(ClientIp),
            answers=tuple(sorted(self.answers.items())),
            sni=self.single.get(Sni, host if self.is_tcp and self.port.protocol in _TLS else None),
            day=self.day,
        )
        if self.is_tcp:
            if operation is not None:
                self._only_http(operation.span, ctx)
            return base
        if operation is None:
            advice = "write `GET /`, or another method and path, or `call SERVICE/METHOD`"
            message = f"`{self.node.name}:{self.port.name}` speaks HTTP, and the line says no request"
            ctx.findings.add("MP233", message, written.span, help=advice)
            return None
        is_call = isinstance(operation, CallOperation)
        is_grpc = is_call or self.port.protocol is Protocol.GRPC
        return replace(
            base,
            protocol=RequestProtocol.GRPC if is_grpc else RequestProtocol.HTTP,
            method="POST" if isinstance(operation, CallOperation) else operation.method,
            path=self._path(operation),
            host=host,
            headers=tuple(self.headers),
            token=self.token.made(self.node, written.span, ctx),
        )

    def _path(self, operation: ast.CaseOperation) -> str:
        path = operation.path if isinstance(operation, ast.Send) else f"/{operation.service}/{operation.method}"
        if not self.parameters:
            return path
        return path + ("&" if "?" in path else "?") + "&".join(self.parameters)
