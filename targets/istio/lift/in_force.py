"""At which workloads an object is in force."""

from __future__ import annotations

from dataclasses import replace

from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.selection import applies, attachment_of
from meshproof.targets.istio.lift.workloads import Workload


def in_force_at(source: KubeObject, context: LiftContext) -> tuple[Workload, ...]:
    """The workloads that the object is for: those near it, or all for one in the root namespace.

    One with a selector and with targets is refused; what it was before may be for either.
    """
    root = context.settings.root_namespace
    attachment = attachment_of(source)
    if attachment.labels and attachment.targets:
        either = (attachment, replace(attachment, targets=()))
        return tuple(one for one in context.workloads if any(applies(form, one, root) for form in either))
    if attachment.labels and not attachment.targets:
        nearby = context.with_label(attachment.labels[0])
    else:
        nearby = context.workloads if source.namespace == root else context.in_namespace(source.namespace)
    return tuple(one for one in nearby if applies(attachment, one, root))
