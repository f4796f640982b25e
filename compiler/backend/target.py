"""The interface of a target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, TypeVar, runtime_checkable

from meshproof.compiler.backend.artifact import Artifact, SourceMap
from meshproof.compiler.backend.features import Capabilities
from meshproof.compiler.backend.loss import Loss
from meshproof.compiler.backend.transport import LiftedTransport
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.dsl.diagnostic import Diagnostic, Severity
from meshproof.dsl.source import SourceFile, Span


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """What a compile depends on besides the policy.

    `day` is the day as of which rules are in force. `settings` are the `--option` pairs. `source_hash` identifies the
    policy in emitted files. `read_back` says what is known of the emitted bytes: nothing, until they were lifted and
    compared with the policy. `require` says by whom all of the policy must be kept, where the target has a choice.
    """

    day: date
    settings: tuple[tuple[str, str], ...] = ()
    source_hash: str = ""
    read_back: str = "not yet read back"
    require: Judgement = Judgement.ENFORCED


class Lowered(Protocol):
    """A policy in the words of a target, before it is bytes."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What stops the compile (errors) and what a reader should know."""
        ...

    @property
    def losses(self) -> tuple[Loss, ...]:
        """Every difference between the policy and what is emitted; those that refuse more do not stop the compile."""
        ...

    @property
    def source_map(self) -> SourceMap:
        """Where each rule, route and statement went."""
        ...


LoweredT = TypeVar("LoweredT", bound=Lowered)


class Target(Protocol[LoweredT]):
    """A backend: from the IR to files. Lowering and emitting do no I/O and depend on nothing but their arguments."""

    @property
    def name(self) -> str:
        """The name that `--target` takes."""
        ...

    @property
    def title(self) -> str:
        """What people call it, as a noun in a sentence."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the target can say, a line for every feature."""
        ...

    def lower(self, mesh: Mesh, options: CompileOptions) -> LoweredT:
        """The policy in the target's words. What it cannot say is an error diagnostic at the rule, never left out."""
        ...

    def emit(self, lowered: LoweredT) -> tuple[Artifact, ...]:
        """The files, sorted by path; the same bytes for the same argument. Only for a lowering without errors."""
        ...


@dataclass(frozen=True, slots=True)
class LiftedObject:
    """An object that was read. `is_tried` is one that decides nothing yet (Istio's dry run), `is_logging` one that only
    logs what it matches.
    """  # noqa: D205

    kind: str
    namespace: str
    name: str
    span: Span
    is_tried: bool = False
    is_logging: bool = False


@dataclass(frozen=True, slots=True)
class Lifted:
    """A policy read from a target's files, and what was said about them.

    There is no mesh if a file could not be read: half of what runs is never judged. `sources` are the texts that
    diagnostics and origins point into. `objects` are those of the mesh itself, not of the platform below it; `skipped`
    are the kinds of objects that say nothing of who may call whom, with their number. Without `has_workloads` no file
    makes pods: what runs was told from what policies select, or is known from elsewhere. `transport` is what the files
    say of connections, told where the workloads are known from a policy.
    """

    mesh: Mesh | None
    diagnostics: tuple[Diagnostic, ...] = ()
    sources: tuple[SourceFile, ...] = ()
    skipped: tuple[tuple[str, int], ...] = ()
    objects: tuple[LiftedObject, ...] = ()
    has_workloads: bool = False
    transport: LiftedTransport | None = None


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods that something else than the files speaks of, a request for one: a workload, if the files make none."""

    namespace: str
    labels: tuple[tuple[str, str], ...]


class Reader(Protocol):
    """Whoever reads the files of a mesh, whoever wrote them."""

    @property
    def name(self) -> str:
        """The name that `--from` takes."""
        ...

    @property
    def title(self) -> str:
        """What people call the mesh, as a noun in a sentence."""
        ...

    def lift(
        self,
        files: tuple[Artifact, ...],
        options: CompileOptions,
        known: Mesh | None = None,
        also: tuple[Pods, ...] = (),
    ) -> Lifted:
        """What the files mean, under the options of the target. What is not modelled becomes `Opaque`, never nothing.

        `files` are paths as they are to be shown, with their bytes. With `known` the services and gateways of that mesh
        are taken as those that run, by name, labels, ports and identity, and nothing else of it is looked at: so what
        was emitted for a policy can be read, which names pods by their labels alone. `also` are pods that are workloads
        whether or not the files make them or speak of them.
        """
        ...


@runtime_checkable
class LiftingTarget(Reader, Protocol):
    """The optional capability of a target to read its own kind of file."""

    @property
    def stated_in_files(self) -> frozenset[str]:
        """The options that files which the target emits state themselves: to read those, they are not given."""
        ...


@runtime_checkable
class ChoosingTarget(Protocol):
    """The optional capability of a target to leave parts of a policy to callers' own proxies, if that is asked for."""

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """What `--require` takes: by whom all that is compiled is kept."""
        ...


@runtime_checkable
class LeftToCallers(Protocol):
    """A lowering for a target with a choice: what of the policy nobody enforces."""

    @property
    def kept_by_callers(self) -> tuple[str, ...]:
        """The rules and declarations that callers' own proxies alone keep, by name."""
        ...


AnyTarget = Target[Any]
"""A target whose lowered form the caller hands back unread."""


def has_errors(diagnostics: tuple[Diagnostic, ...]) -> bool:
    """Whether anything stops the compile."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
