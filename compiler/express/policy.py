"""A whole mesh as a policy of the language, and what of it the language cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from meshproof.compiler.express.declarations import Declarations
from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.compiler.express.names import Names, names_of
from meshproof.compiler.express.rules import Rules
from meshproof.compiler.express.wording import Wording
from meshproof.compiler.ir.names import Origin
from meshproof.dsl.ast.document import Document, Statement
from meshproof.dsl.format import format_document

if TYPE_CHECKING:
    from meshproof.compiler.ir.mesh import Mesh

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Untaken:
    """Something of the mesh that the policy does not say, and why; `subject` is its name in the mesh."""

    subject: str
    reason: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Expressed:
    """The policy as text in the one layout, what things are called in it, and what it leaves out."""

    text: str
    names: Names
    untaken: tuple[Untaken, ...]


def express(mesh: Mesh, wording: Wording) -> Expressed:
    """The policy that means what the mesh means, but for what is listed."""
    names = names_of(mesh)
    writer = _Writer(mesh, names, wording)
    statements = tuple(writer.statements())
    return Expressed(format_document(Document(statements)), names, tuple(writer.untaken))


class _Writer:
    def __init__(self, mesh: Mesh, names: Names, wording: Wording) -> None:
        self._mesh = mesh
        self._declarations = Declarations(mesh, names, wording)
        self._rules = Rules(mesh, names, wording)
        self.untaken: list[Untaken] = []

    def statements(self) -> Iterator[Statement]:
        """Everything, in the order in which people read it: who there is, how they meet, who may call whom."""
        mesh, declare = self._mesh, self._declarations
        yield declare.mesh()
        yield from self._each(mesh.namespaces, declare.namespace, lambda one: one.name)
        yield from self._each(mesh.issuers, declare.issuer, lambda one: one.name)
        yield from self._each(mesh.authorizers, declare.authorizer, lambda one: one.name)
        yield from self._each(mesh.gateways, declare.gateway, lambda one: one.name)
        yield from self._each(mesh.externals, declare.external, lambda one: one.name)
        yield from self._each(mesh.services, declare.service, lambda one: one.name)
        yield from self._each(mesh.mtls, declare.mtls, lambda one: f"mtls {one.mode.value}")
        yield from self._each(mesh.rules, self._rules.rule, lambda one: one.id)
        yield from self._each(mesh.nodes, self._rules.open_by_default, lambda one: one.name)
        for route in mesh.routes:
            self.untaken.append(Untaken(route.id, "it is a route", route.origin))

    def _each(
        self, values: Iterable[T], write: Callable[[T], Statement | None], name: Callable[[T], str]
    ) -> Iterator[Statement]:
        """What can be said of each value; what cannot is noted."""
        for value in values:
            try:
                statement = write(value)
            except InexpressibleError as error:
                origin: Origin = value.origin  # type: ignore[attr-defined]  # every value of a mesh has one
                self.untaken.append(Untaken(name(value), error.reason, origin))
            else:
                if statement is not None:
                    yield statement
