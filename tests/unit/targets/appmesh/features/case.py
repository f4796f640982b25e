"""What a table of features is made of: the least policy that says something, and what App Mesh must do with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.mesh import Mesh

UNTIL = '{ because "moving in" owner "team" until 2027-01-31 }'
SERVICES = """service a { port http 80 -> 8080 }
service b { port http 80 -> 8080  versions v1, v2 }
service c { port tcp 90 }
"""
HERE = "# <<"
"""Stands at the end of the lines of a policy that are spoken of."""


class Outcome(Enum):
    """What becomes of what a policy says. Whatever is written is proved."""

    KEPT = auto()
    """It is compiled, and nothing is lost."""
    LOST = auto()
    """It is compiled, and refuses more: a loss at its line says so."""
    NOTED = auto()
    """Nobody keeps it, it lets nobody in, and a note at its line says so."""
    REFUSED = auto()
    """MP701 at its line, and nothing is written."""


KEPT, LOST, NOTED, REFUSED = Outcome.KEPT, Outcome.LOST, Outcome.NOTED, Outcome.REFUSED


@dataclass(frozen=True, slots=True)
class Case:
    """A policy, and what becomes of it where callers may keep what they keep.

    `features` are those that it is there for. `shows` must stand in what is emitted: what no comparison of meanings
    looks at. `change` makes of the policy what only foreign files can say.
    """

    name: str
    outcome: Outcome
    text: str
    features: tuple[Feature, ...] = ()
    shows: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    change: Callable[[Mesh], Mesh] | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def has_mesh(self) -> bool:
        """Whether the policy has a mesh block of its own."""
        return self.text.startswith("mesh ")

    @property
    def marked(self) -> set[int]:
        """The lines that are spoken of, from 0."""
        return {number for number, line in enumerate(self.text.splitlines()) if line.endswith(HERE)}


def allowed(body: str) -> str:
    """A policy that lets `a` call `b`, by a rule with this body."""
    return f"{SERVICES}allow x: a -> b {body} {HERE}\n"


def denied(body: str) -> str:
    """A policy that lets `a` call `b`, but for this."""
    return f"{SERVICES}allow x: a -> b\ndeny y: a -> b {body} {HERE}\n"
