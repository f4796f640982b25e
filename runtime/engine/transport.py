"""The first step: whether a connection stands, by the mode of the closest statement (ADR 0051)."""

from __future__ import annotations

from datetime import date

from meshproof.compiler.ir.entities import External, Gateway, Node, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import (
    MeshScope,
    MtlsMode,
    MtlsPolicy,
    MtlsScope,
    NamespaceScope,
    PortScope,
    ServiceScope,
)
from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.engine.errors import MalformedRequestError

_MOST_KNOWN = 65_536


class Identities:
    """Which identities are verified, and by which name rules know them (ADR 0040)."""

    __slots__ = ("_aliases", "_known", "_ours", "_trusted")

    def __init__(self, mesh: Mesh) -> None:
        self._ours = mesh.trust_domain
        self._aliases = frozenset(mesh.aliases)
        self._trusted = frozenset((mesh.trust_domain, *mesh.trusts))
        self._known: dict[str, tuple[str, bool]] = {}

    def known_as(self, uri: str) -> tuple[str, bool]:
        """The identity as rules know it, an alias of our trust domain replaced by it; and whether it is verified.

        It is if its domain is ours or trusted. Raises `MalformedRequestError` for what is no identity of a workload.
        """
        found = self._known.get(uri)
        if found is None:
            domain = _domain(uri)
            is_alias = domain in self._aliases
            name = f"spiffe://{self._ours}{uri[len('spiffe://') + len(domain) :]}" if is_alias else uri
            found = name, is_alias or domain in self._trusted
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[uri] = found
        return found


def _domain(uri: str) -> str:
    if SpiffeId.parse(uri) is None:
        raise MalformedRequestError(f"`{uri}` is no SPIFFE ID of a workload")
    return uri.removeprefix("spiffe://").partition("/")[0]


class Modes:
    """The statements in force on a day, by scope."""

    __slots__ = ("_by_scope",)

    def __init__(self, statements: tuple[MtlsPolicy, ...], day: date) -> None:
        found: dict[MtlsScope, MtlsMode] = {}
        for one in statements:
            if one.mode is MtlsMode.STRICT or one.until is None or day <= one.until:
                found.setdefault(one.scope, one.mode)
        self._by_scope = found

    def mode(self, node: Node, port: int) -> MtlsMode:
        """How connections to the port are taken. Gateways take the outside, which has no identity."""
        match node:
            case Gateway():
                return MtlsMode.PERMISSIVE
            case External():
                return MtlsMode.STRICT
            case Service():
                scopes: tuple[MtlsScope, ...] = (
                    PortScope(node.name, port),
                    ServiceScope(node.name),
                    NamespaceScope(node.namespace),
                    MeshScope(),
                )
                return next((self._by_scope[scope] for scope in scopes if scope in self._by_scope), MtlsMode.STRICT)


def passes(mode: MtlsMode, known: tuple[str, bool] | None) -> bool:
    """Whether the connection of a caller stands: a handshake that fails is refused, never downgraded."""
    if known is None:
        return mode is not MtlsMode.STRICT
    return mode is not MtlsMode.DISABLED and known[1]
