"""What a target cannot say exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import Destination
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.ir.predicate import Always, Predicate
from meshproof.dsl.diagnostic import Diagnostic, Label, Severity


class Direction(StrEnum):
    """Where a target errs. `STRICTER` refuses more. `UNKEPT` is something that nobody keeps and that decides nothing,
    such as a bound on connections. The others would enforce less than was proved."""  # noqa: D205, D209

    STRICTER = "stricter"
    UNKEPT = "unkept"
    LOOSER = "looser"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Loss:
    """A difference between the policy and what was emitted for it. `subject` is a rule, route or node.

    `message` completes "in <target>, …" as one lower-case clause without a full stop. The rest says of which requests
    it speaks, among those that its subject is about: those in `region`; of these, with `repeated`, those alone in which
    that header stands more than once, and with `is_of_tokens` those alone that bring a token which the node does not
    accept. Whatever else is refused more, the loss does not explain. With `settings` it speaks of nothing but those of
    its route: `balance`, `limit WORD`, `retry`, or `retry REASON`. With `at` it speaks of nothing but what comes there.
    With `is_of_routes` its subject is a route, and what it speaks of is taken for what another of its branches takes,
    or none.
    """

    feature: Feature
    direction: Direction
    subject: str
    message: str
    origin: Origin
    region: Predicate = field(default_factory=Always)
    repeated: str | None = None
    is_of_tokens: bool = False
    settings: tuple[str, ...] = ()
    at: Destination | None = None
    is_of_routes: bool = False

    def is_at(self, node: NodeName, port: int) -> bool:
        """Whether it speaks of what comes to a workload port of a node."""
        if self.at is None:
            return True
        return self.at.node == node and (self.at.ports is None or port in self.at.ports)


_TOLD = {
    Direction.STRICTER: ("MP704", Severity.WARNING, "refuses more than {} says"),
    Direction.UNKEPT: ("MP708", Severity.INFO, "does not keep all of {}"),
}


def to_diagnostics(losses: tuple[Loss, ...], target: str) -> tuple[Diagnostic, ...]:
    """One finding for all losses of a kind, with a label at each rule.

    Stricter ones are the warning MP704, unkept ones the note MP708; anything else would silently enforce less than was
    proved: the error MP703.
    """
    groups: dict[tuple[Feature, Direction, str], list[Loss]] = {}
    for loss in losses:
        groups.setdefault((loss.feature, loss.direction, loss.message), []).append(loss)
    return tuple(_finding(group, target) for group in groups.values())


def _finding(group: list[Loss], target: str) -> Diagnostic:
    first = group[0]
    code, severity, outcome = _TOLD.get(first.direction, ("MP703", Severity.ERROR, "would refuse less than {} says"))
    subjects = list(dict.fromkeys(loss.subject for loss in group))
    named = f"`{subjects[0]}`" + (f" and {len(subjects) - 1} more" if len(subjects) > 1 else "")
    return Diagnostic(
        code=code,
        severity=severity,
        message=f"{target} {outcome.format(named)}: {first.message}",
        labels=tuple(
            Label(span, str(first.feature), is_primary=index == 0)
            for index, span in enumerate(dict.fromkeys(loss.origin.span for loss in group))
        ),
        subject=first.subject,
        fingerprint=f"{first.direction}:{first.feature}:{first.message}",
    )
