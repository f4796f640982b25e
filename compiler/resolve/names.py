"""Which names the files declare: one namespace of names for everything that rules can speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from meshproof.compiler.resolve.scope import Declared, Kind, Scope
from meshproof.compiler.resolve.values import value_in
from meshproof.dsl.ast.declarations import Authorizer, External, Gateway, Issuer, Namespace, Service, Value, Zone
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.resolve.findings import Findings
    from meshproof.compiler.resolve.statements import Statements
    from meshproof.dsl.ast.values import Name

NamedDeclaration: TypeAlias = Service | Gateway | External | Issuer | Authorizer | Zone | Value

_KINDS: dict[type[NamedDeclaration], Kind] = {
    Service: Kind.SERVICE,
    Gateway: Kind.GATEWAY,
    External: Kind.EXTERNAL,
    Issuer: Kind.ISSUER,
    Authorizer: Kind.AUTHORIZER,
    Zone: Kind.ZONE,
    Value: Kind.VALUE,
}


def declared_names(statements: Statements) -> Iterator[tuple[NamedDeclaration, Kind]]:
    """Every declaration that gives a name, with its kind."""
    for declaration, kind in _KINDS.items():
        for found in statements.every(declaration):
            yield found, kind


def scope_of(
    statements: Statements, everywhere: Statements, parameters: dict[str, frozenset[str]], findings: Findings
) -> Scope:
    """The names of one environment (`statements`), with those of the others (`everywhere`) for messages.

    Of two declarations of a name the first in the order of files counts, and the second is a finding.
    """
    declared: dict[str, Declared] = {}
    in_order = sorted(declared_names(statements), key=lambda found: found[0].name.span)
    for found, kind in in_order:
        name = found.name
        first = declared.setdefault(name.text, Declared(kind, name.span))
        if first.at is not name.span:
            report_second(name, first, findings)
    _check_namespaces(statements, findings)
    elsewhere = {
        found.name.text: Declared(kind, found.name.span)
        for found, kind in declared_names(everywhere)
        if found.name.text not in declared
    }
    return Scope(declared, elsewhere, parameters)


def report_second(name: Name, first: Declared, findings: Findings) -> None:
    """Show both places of a name that is declared twice."""
    findings.add(
        "MP202",
        f"`{name.text}` is declared twice",
        name.span,
        "the second declaration",
        labels=(Label(first.at, "the first one"),),
        help="services, gateways, externals, issuers, authorizers, zones and values share their names",
    )


def _check_namespaces(statements: Statements, findings: Findings) -> None:
    first: dict[str, Namespace] = {}
    for namespace in statements.every(Namespace):
        known = first.setdefault(namespace.name.text, namespace)
        if known is not namespace:
            findings.add(
                "MP202",
                f"the namespace `{namespace.name.text}` has two blocks",
                namespace.name.span,
                "the second block",
                labels=(Label(known.name.span, "the first one"),),
            )


def values_of(statements: Statements, environment: str | None) -> dict[str, str | int]:
    """Every value by its name, as it is in that environment."""
    return {value.name.text: value_in(value, environment) for value in reversed(statements.every(Value))}
