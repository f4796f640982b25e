"""Everything that the steps of resolving one environment look things up in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.resolve.directory import Directory
from meshproof.compiler.resolve.scope import NODES, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.entities import Authorizer, Destination, Issuer, Node, SourceSet, Zone
    from meshproof.compiler.resolve.callers import Callers
    from meshproof.compiler.resolve.domains import TrustDomains
    from meshproof.compiler.resolve.findings import Findings
    from meshproof.compiler.resolve.layers import Layered
    from meshproof.compiler.resolve.scope import Scope
    from meshproof.compiler.resolve.values import Values
    from meshproof.dsl.ast.sets import SetExpression
    from meshproof.dsl.ast.values import Name
    from meshproof.dsl.source import Span

_ISSUER = frozenset((Kind.ISSUER,))
_AUTHORIZER = frozenset((Kind.AUTHORIZER,))


@dataclass(slots=True)
class Context:
    """One environment while it is resolved: each step adds to it what later steps look up.

    `zones` are by name; those that a file asks for are in `parameters`, by file and name. `chains` are the uses by
    which a file came in, innermost first. `unseen_ports` are ports of lifted workloads that no Service shows. The
    tables of sets below are of those that were read before.
    """

    findings: Findings
    scope: Scope
    values: Values
    domains: TrustDomains
    environment: str | None = None
    namespace: str | None = None
    unseen_ports: Mapping[NodeName, frozenset[int]] = field(default_factory=dict)
    directory: Directory = field(default_factory=lambda: Directory.of(()))
    issuers: dict[str, Issuer] = field(default_factory=dict)
    authorizers: dict[str, Authorizer] = field(default_factory=dict)
    zones: dict[str, Zone] = field(default_factory=dict)
    parameters: dict[tuple[str, str], Zone] = field(default_factory=dict)
    rules: dict[str, AuthzRule] = field(default_factory=dict)
    chains: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    source_sets: dict[tuple[SetExpression, str], SourceSet] = field(default_factory=dict)
    destination_sets: dict[tuple[SetExpression, str], tuple[Destination, ...]] = field(default_factory=dict)
    caller_sets: dict[SetExpression, Callers] = field(default_factory=dict)
    layered: dict[tuple[SetExpression, str], Layered] = field(default_factory=dict)

    def set_key(self, written: SetExpression) -> tuple[SetExpression, str]:
        """By what a set is known again: two files may mean different zones by one name."""
        return (written, written.span.file if self.scope.parameters else "")

    def origin(self, at: Span) -> Origin:
        """The place, with the uses that brought its file here."""
        return Origin(at, self.chains.get(at.file, ()))

    def node(self, name: Name) -> Node | None:
        """The service, gateway or external of that name; if there is none, that is a finding."""
        return self._node(name, NODES)

    def node_of_kind(self, name: Name, *kinds: Kind) -> Node | None:
        """The node of that name if it is of one of the kinds; if not, that is a finding."""
        return self._node(name, frozenset(kinds))

    def _node(self, name: Name, kinds: frozenset[Kind]) -> Node | None:
        if self.scope.find(name, kinds, self.findings) is None:
            return None
        return self.directory.nodes.get(NodeName(name.text))

    def issuer(self, name: Name) -> Issuer | None:
        """The issuer of that name; if there is none, that is a finding."""
        if self.scope.find(name, _ISSUER, self.findings) is None:
            return None
        return self.issuers.get(name.text)

    def authorizer(self, name: Name) -> Authorizer | None:
        """The authorizer of that name; if there is none, that is a finding."""
        if self.scope.find(name, _AUTHORIZER, self.findings) is None:
            return None
        return self.authorizers.get(name.text)
