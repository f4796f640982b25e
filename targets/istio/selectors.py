"""Whether labels tell the declared workloads apart: Istio knows pods by labels, and pools all that selects one."""

from __future__ import annotations

from meshproof.dsl.diagnostic import Diagnostic, Label, Severity
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.workloads import Workload


def tell_overlaps(context: Context) -> None:
    """MP703 where the labels of one workload select another one too, so that its rules would hold there as well."""
    root = context.options.root_namespace
    for one in context.workloads:
        for other in context.workloads:
            is_near = one.namespace in {other.namespace, root}
            if one is not other and is_near and _selects(one, other):
                context.findings.diagnostics.append(_overlap(one, other))
        if one.namespace == root:
            message = f"objects for `{one.name}` in the root namespace also select pods with its labels elsewhere"
            context.findings.residual(str(one.name), one.origin, message)


def _selects(one: Workload, other: Workload) -> bool:
    return set(one.labels) <= set(other.labels)


def _overlap(one: Workload, other: Workload) -> Diagnostic:
    return Diagnostic(
        code="MP703",
        severity=Severity.ERROR,
        message=f"in Istio every rule about `{one.name}` would hold for `{other.name}` too: its labels select both",
        labels=(
            Label(other.origin.span, "has all labels of the other", is_primary=True),
            Label(one.origin.span, "is selected by these labels"),
        ),
        help=f'give one of them a label that the other has not, such as `labels {{ app: "{other.name}" }}`',
        subject=str(other.name),
        fingerprint=f"istio:overlap:{one.name}:{other.name}",
    )
