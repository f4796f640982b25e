"""What was emitted, read back and compared with the policy. Importing this module loads z3."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meshproof.compiler.backend.companion import companions_of, handed_over
from meshproof.compiler.backend.target import ChoosingTarget, LeftToCallers, LiftingTarget, has_errors
from meshproof.compiler.driver.companions import Beside, beside, composed, unwired
from meshproof.compiler.driver.standing import Standing, standings
from meshproof.compiler.driver.translating import translation_findings
from meshproof.compiler.verify.semantic_diff_values import Undecided
from meshproof.compiler.verify.translation import (
    DEFAULT_OPTIONS,
    Translation,
    TranslationOptions,
    TranslationVerdict,
    translation,
    worst,
)
from meshproof.compiler.verify.translation_connections import connection_gaps
from meshproof.compiler.verify.translation_gaps import Gap
from meshproof.compiler.verify.translation_part import WHOLE, Part
from meshproof.compiler.verify.translation_sent import as_sent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from meshproof.compiler.backend.artifact import Artifact
    from meshproof.compiler.backend.loss import Loss
    from meshproof.compiler.backend.target import AnyTarget, CompileOptions, Lifted, Lowered
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.diagnostic import Diagnostic

EQUAL = "read back, and proved to mean what the policy says"
STRICTER = "read back, and proved to mean what the policy says but for listed losses, which refuse more"
UNPROVED = "read back, and not proved to mean what the policy says"


@dataclass(frozen=True, slots=True)
class Emitted:
    """Files and what is known of them, under each judgement if the target has a choice of them."""

    artifacts: tuple[Artifact, ...]
    known: str
    diagnostics: tuple[Diagnostic, ...] = ()
    standings: tuple[Standing, ...] = ()

    @property
    def may_be_written(self) -> bool:
        """Whether they mean what the policy says, but for listed losses; of a target without a reader nobody knows."""
        return self.known != UNPROVED and not has_errors(self.diagnostics)

    @property
    def told(self) -> str:
        """What the files say of themselves."""
        return _told(self.known, self.standings)


def emitted(target: AnyTarget, lowered: Lowered, mesh: Mesh, options: CompileOptions, timeout_ms: int) -> Emitted:
    """The files of a lowering without errors, which say of themselves what is known of them.

    That is a part of their bytes, so they are made for what will most likely be known, and once more if it is another.
    """
    if not isinstance(target, LiftingTarget):
        assert not companions_of(lowered), "what is handed over by a target that nobody reads back proves nothing"
        return Emitted(target.emit(lowered), options.read_back)
    likely = TranslationVerdict.STRICTER if lowered.losses else TranslationVerdict.EQUAL
    expected = _told(_KNOWN[likely], _standings(target, lowered, likely, likely))
    found = _judged(target, mesh, replace(options, read_back=expected), timeout_ms)
    if found.told != expected and found.may_be_written:
        found = _judged(target, mesh, replace(options, read_back=found.told), timeout_ms)
    return found


def _told(known: str, under: tuple[Standing, ...]) -> str:
    return f"read back; {'; '.join(one.text for one in under)}" if under else known


def _standings(
    target: AnyTarget, lowered: Lowered, of_servers: TranslationVerdict, together: TranslationVerdict
) -> tuple[Standing, ...]:
    if not isinstance(target, ChoosingTarget):
        return ()
    return standings(of_servers, together, lowered.kept_by_callers if isinstance(lowered, LeftToCallers) else ())


def _judged(target: AnyTarget, mesh: Mesh, options: CompileOptions, timeout_ms: int) -> Emitted:
    assert isinstance(target, LiftingTarget)
    lowered = target.lower(mesh, options)
    artifacts = target.emit(lowered)
    companions = companions_of(lowered)
    made = tuple(beside(one, mesh, options) for one in companions)
    every = (*artifacts, *(file for one in made for file in one.files))
    told = tuple(diagnostic for one in made for diagnostic in one.diagnostics)
    lifted = read_back(target, artifacts, options, mesh)
    if lifted.mesh is None or has_errors(told):
        return Emitted(every, UNPROVED, (*lifted.diagnostics, *told))
    losses = (*lowered.losses, *(loss for one in made for loss in one.losses))
    part = Part(handed_over(companions))
    found = [(target.title, judgement(mesh, lifted, losses, options.day, timeout_ms, part))]
    found += [(one.target.title, _of_companion(one, mesh, lifted, losses, options, timeout_ms)) for one in made]
    findings = (finding for title, judged in found for finding in translation_findings(mesh, judged, title))
    of_servers, together = worst(one.of_servers for _, one in found), worst(one.verdict for _, one in found)
    return Emitted(every, _KNOWN[together], (*told, *findings), _standings(target, lowered, of_servers, together))


def _of_companion(
    made: Beside, mesh: Mesh, around: Lifted, losses: Sequence[Loss], options: CompileOptions, timeout_ms: int
) -> Translation:
    """The judgement over what a companion makes of its ports."""
    own = read_back(made.target, made.own, options, mesh)
    if own.mesh is None:
        return Translation(undecided=tuple(Undecided(made.companion.target, one.message) for one in own.diagnostics))
    part = Part(made.companion.ports, is_inside=True)
    judged = judgement(mesh, composed(made, own, around), losses, options.day, timeout_ms, part)
    return replace(judged, undecided=(*judged.undecided, *unwired(made, mesh, around)))


def read_back(target: LiftingTarget, files: tuple[Artifact, ...], options: CompileOptions, mesh: Mesh) -> Lifted:
    """What the files say, without the options that they state themselves: those would count more than the files."""
    own = tuple(pair for pair in options.settings if pair[0] not in target.stated_in_files)
    return target.lift(files, replace(options, settings=own), mesh)


def judgement(
    mesh: Mesh,
    lifted: Lifted,
    losses: Sequence[Loss],
    day: date,
    timeout_ms: int = DEFAULT_OPTIONS.timeout_ms,
    part: Part = WHOLE,
) -> Translation:
    """Files that were read back compared with their policy: requests, connections, and whatever was not understood.

    Nothing that a target emits may need a word of its own reader, so each is something that is not known.
    """
    assert lifted.mesh is not None, "what cannot be read is not judged"
    found = translation(mesh, lifted.mesh, losses, day, TranslationOptions(timeout_ms, part=part))
    connections = connection_gaps(mesh, lifted.mesh, lifted.transport, losses, day, part)
    told = (Undecided(one.subject, one.message) for one in lifted.diagnostics)
    unknown = (*found.undecided, *(one for one in connections if isinstance(one, Undecided)), *told)
    judged = replace(
        found,
        connections=tuple(one for one in connections if isinstance(one, Gap)),
        undecided=tuple(dict.fromkeys(unknown)),
    )
    unsent = None if lifted.transport is None else lifted.transport.unsent
    if unsent is None or not judged.is_sound:
        return judged
    if not any(part.has(one.node, one.port) for one in unsent):
        return replace(judged, sent=judged)
    sent = translation(mesh, as_sent(lifted.mesh, unsent), losses, day, TranslationOptions(timeout_ms, part=part))
    return replace(judged, sent=sent)


_KNOWN = {
    TranslationVerdict.EQUAL: EQUAL,
    TranslationVerdict.STRICTER: STRICTER,
    TranslationVerdict.UNKNOWN: UNPROVED,
    TranslationVerdict.WRONG: UNPROVED,
}
