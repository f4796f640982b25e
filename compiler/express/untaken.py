"""What a policy does not say of a mesh."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.names import Origin


@dataclass(frozen=True, slots=True)
class Untaken:
    """Something of the mesh that the policy does not say, and why; `subject` is its name in the mesh."""

    subject: str
    reason: str
    origin: Origin
