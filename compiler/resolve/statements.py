"""The statements of all files together, by kind, and those of one environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from meshproof.dsl.ast.declarations import Value
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.resolve.findings import Findings
    from meshproof.dsl.ast.document import Document, Statement
    from meshproof.dsl.ast.values import Name

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Statements:
    """Statements by their class, each kind in the order of files and then of the text."""

    by_kind: dict[type[object], tuple[Statement, ...]]

    @classmethod
    def of(cls, documents: Iterable[Document]) -> Statements:
        """The statements of these files, whatever order the files are given in."""
        grouped: dict[type[object], list[Statement]] = {}
        for document in sorted(documents, key=lambda document: document.span.file):
            for statement in document.statements:
                grouped.setdefault(type(statement), []).append(statement)
        return cls({kind: tuple(statements) for kind, statements in grouped.items()})

    def every(self, kind: type[_T]) -> tuple[_T, ...]:
        """The statements of one kind, of every environment."""
        return tuple(found for found in self.by_kind.get(kind, ()) if isinstance(found, kind))

    def within(self, environment: str | None) -> Statements:
        """Those that are kept in one environment; with None, all."""
        if environment is None:
            return self
        kept = {
            kind: tuple(statement for statement in statements if is_within(statement, environment))
            for kind, statements in self.by_kind.items()
        }
        return Statements(kept)


def is_within(statement: Statement, environment: str | None) -> bool:
    """Whether a statement holds in the environment: it names none, or this one among others."""
    names = _environments_of(statement)
    return not names or any(name.text == environment for name in names)


def _environments_of(statement: Statement) -> tuple[Name, ...]:
    return getattr(statement, "env", ())


def check_environments(statements: Statements, known: tuple[str, ...], findings: Findings) -> None:
    """Report every environment that is named and that the mesh does not list."""
    for kind, found in statements.by_kind.items():
        for statement in found:
            names = _environments_of(statement)
            if kind is Value and isinstance(statement, Value):
                names = tuple(name for override in statement.overrides for name in override.env)
                _check_once(statement, names, findings)
            for name in names:
                if name.text not in known:
                    _report(name, known, findings)


def _check_once(value: Value, names: tuple[Name, ...], findings: Findings) -> None:
    first: dict[str, Name] = {}
    for name in names:
        known = first.setdefault(name.text, name)
        if known is not name:
            findings.add(
                "MP202",
                f"`{value.name.text}` has two values in the environment `{name.text}`",
                name.span,
                "the second value",
                labels=(Label(known.span, "the first one"),),
            )


def _report(name: Name, known: tuple[str, ...], findings: Findings) -> None:
    advice = findings.did_you_mean(name.text, known)
    if not known:
        advice = f"list it in the mesh: `environments {name.text}`"
    findings.add("MP210", f"there is no environment `{name.text}`", name.span, help=advice)
