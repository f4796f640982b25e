"""Files of Istio and Kubernetes, whoever wrote them, as a mesh: the entry of the lift."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import Pods
from meshproof.compiler.backend.transport import LiftedTransport
from meshproof.compiler.ir.mesh import Mesh
from meshproof.dsl.diagnostic import Diagnostic, Severity
from meshproof.targets.istio.lift.admission import Verdict, admit_all
from meshproof.targets.istio.lift.assemble import assemble
from meshproof.targets.istio.lift.context import LiftContext, read_context
from meshproof.targets.istio.lift.field_accounts import FieldAccounts, account_for
from meshproof.targets.istio.lift.notices import notice_all
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.opaque import report_opaque
from meshproof.targets.istio.lift.routing import lift_routing
from meshproof.targets.istio.lift.strangers import for_strangers
from meshproof.targets.istio.lift.unread import unread_fields

_UNREADABLE = ("MP0", "MP1", "MP709")


@dataclass(frozen=True, slots=True)
class IstioReading:
    """What files mean, and everything that was learnt on the way.

    `mesh` is None if a file could not be read, or an option not be taken. `verdicts` are those of admission over
    objects that it does not take as they are. `transport` is told where the workloads are known.
    """

    mesh: Mesh | None
    context: LiftContext
    verdicts: dict[KubeObject, Verdict]
    accounts: FieldAccounts
    transport: LiftedTransport | None = None

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything that was found."""
        return self.context.findings.diagnostics


def read_istio(
    files: tuple[Artifact, ...],
    settings: Iterable[tuple[str, str]] = (),
    known: Mesh | None = None,
    also: tuple[Pods, ...] = (),
) -> IstioReading:
    """The mesh that the files make, under the options.

    With `known` its workloads are taken as those that run (its policies are not looked at); without, the files say, and
    `also` names pods that are workloads whatever the files say.
    """
    context = read_context(files, settings, known, also)
    is_readable = not any(_is_fatal(one) for one in context.findings.diagnostics)
    verdicts = admit_all(context.objects, context.findings)
    if known is None:  # of what was emitted nobody has to be told what it is like
        notice_all(context, verdicts)
    routing = lift_routing(context, has_transport=known is not None) if is_readable else None
    mesh = None if routing is None else assemble(context, verdicts, routing)
    if mesh is not None:
        report_opaque(mesh, context.findings)
    accounts = account_for(context.objects.objects, context.settings.config)
    transport = None if routing is None or routing.transport is None else _told(routing.transport, context)
    return IstioReading(mesh, context, verdicts, accounts, transport)


def _told(transport: LiftedTransport, context: LiftContext) -> LiftedTransport:
    """What is said of connections, with what nobody reads; told of what was emitted for a policy alone."""
    unread = unread_fields(context.objects.objects, context.settings.config)
    skipped = (f"every {kind}" for kind, _ in context.objects.skipped)
    return replace(transport, unread=tuple(dict.fromkeys((*unread, *skipped, *for_strangers(context)))))


def _is_fatal(one: Diagnostic) -> bool:
    return one.severity is Severity.ERROR and one.code.startswith(_UNREADABLE)
