"""Which ports a comparison is about, where several parts of what was emitted judge one policy."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.names import NodeName


@dataclass(frozen=True, slots=True)
class Part:
    """Ports of services, as the policy names them. With `is_inside` those are compared and nothing else.

    Without it all others are, with whatever is said of no single port: externals, gateways, what nobody declares.
    """

    ports: frozenset[tuple[NodeName, int]] = frozenset()
    is_inside: bool = False

    def has(self, node: NodeName, port: int) -> bool:
        """Whether the port is compared."""
        return ((node, port) in self.ports) is self.is_inside


WHOLE = Part()
"""All of it."""
