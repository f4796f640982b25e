"""Why something stands in a policy, for whom and until when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.dsl.ast.node import Node
from meshproof.dsl.ast.values import Date, Text


@dataclass(frozen=True, slots=True)
class Reasons(Node):
    """`because "…" owner "…" until DATE`; which of them must be there is for the checks to say."""

    because: Text | None = None
    owner: Text | None = None
    until: Date | None = None


NO_REASONS = Reasons()


class MtlsMode(StrEnum):
    """What a destination asks of a connection."""

    STRICT = "strict"
    PERMISSIVE = "permissive"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class MtlsDefault(Node):
    """`mtls MODE [{ because … until … }]` inside a `mesh` or `namespace` block."""

    mode: MtlsMode
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Observe(Node):
    """`observe { because … until … }`: decisions are made and logged, nothing is refused."""

    reasons: Reasons
