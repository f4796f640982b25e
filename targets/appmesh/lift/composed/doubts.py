"""What is not understood in files that were emitted for a policy: each such thing leaves the compile unproved."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshproof.compiler.ir.names import Origin
from meshproof.dsl.diagnostic import Diagnostic
from meshproof.targets.appmesh.lift.findings import NOT_MODELLED, finding


@dataclass(slots=True)
class Doubts:
    """Collects them, each once."""

    every: list[Diagnostic] = field(default_factory=list)

    def add(self, subject: str, message: str, origin: Origin) -> None:
        """Something about a resource that may mean more, or less, than the mesh that is told."""
        found = finding(NOT_MODELLED, f"`{subject}` {message}", subject, origin)
        if found not in self.every:
            self.every.append(found)
