"""Which names there are in one environment, and what each stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from meshproof.compiler.resolve.findings import Findings
    from meshproof.dsl.ast.values import Name
    from meshproof.dsl.source import Span


class Kind(StrEnum):
    """What a name may stand for; the value is the word for it in messages."""

    SERVICE = "service"
    GATEWAY = "gateway"
    EXTERNAL = "external"
    ISSUER = "issuer"
    AUTHORIZER = "authorizer"
    ZONE = "zone"
    VALUE = "value"


NODES = frozenset((Kind.SERVICE, Kind.GATEWAY, Kind.EXTERNAL))


@dataclass(frozen=True, slots=True)
class Declared:
    """What a name stands for, and where that was said."""

    kind: Kind
    at: Span


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of one environment. `elsewhere` are declared too, but in other environments alone.

    `parameters` are the zones that a file asks for: names of that file, which hide those of the policy.
    """

    declared: dict[str, Declared] = field(default_factory=dict)
    elsewhere: dict[str, Declared] = field(default_factory=dict)
    parameters: dict[str, frozenset[str]] = field(default_factory=dict)

    def is_parameter(self, name: Name) -> bool:
        """Whether the file in which the name stands asks for it as a zone."""
        return name.text in self.parameters.get(name.span.file, ())

    def find(self, name: Name, wanted: frozenset[Kind], findings: Findings) -> Declared | None:
        """What the name stands for, if it is of a wanted kind; else None, and why is among the findings."""
        found = self.declared.get(name.text)
        if found is None:
            self._report_unknown(name, wanted, findings)
            return None
        if found.kind not in wanted:
            findings.add(
                "MP203",
                f"`{name.text}` is {_article(found.kind)}, not a {_alternatives(wanted)}",
                name.span,
                f"a {_alternatives(wanted)} is meant here",
                labels=(Label(found.at, "it is declared here"),),
            )
            return None
        return found

    def _report_unknown(self, name: Name, wanted: frozenset[Kind], findings: Findings) -> None:
        other = self.elsewhere.get(name.text)
        if other is not None:
            findings.add(
                "MP204",
                f"`{name.text}` is not declared in every environment in which it is used here",
                name.span,
                labels=(Label(other.at, "it is declared here, for other environments"),),
                help="keep what names it to the same environments with `env`",
            )
            return
        known = (known for known, what in self.declared.items() if what.kind in wanted)
        is_identity = Kind.SERVICE in wanted and name.text.startswith("spiffe://")
        advice = f'an identity is written `identity "{name.text}"`, in a condition in braces' if is_identity else None
        findings.add(
            "MP201",
            f"there is no {_alternatives(wanted)} `{name.text}`",
            name.span,
            help=advice or findings.did_you_mean(name.text, known),
        )


def _article(kind: Kind) -> str:
    return f"{'an' if kind[0] in 'aei' else 'a'} {kind.value}"


def _alternatives(kinds: frozenset[Kind]) -> str:
    words = [kind.value for kind in Kind if kind in kinds]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
