"""From a policy to the files of a target: all that `check` does, then the files, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meshproof.compiler.backend.output import lock_of, write_output
from meshproof.compiler.backend.registry import load
from meshproof.compiler.backend.residual import LeavesResiduals
from meshproof.compiler.backend.target import ChoosingTarget, CompileOptions, has_errors
from meshproof.compiler.driver.fingerprint import fingerprinted
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions, Progress, silent
from meshproof.compiler.driver.reading_back import Emitted, emitted
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.serde import digest
from meshproof.compiler.report.exit_code import ExitCode, exit_code
from meshproof.compiler.report.model import Compiled, CompiledStanding, Finding

if TYPE_CHECKING:
    from pathlib import Path

    from meshproof.compiler.backend.target import AnyTarget, Lowered
    from meshproof.compiler.driver.policy import Policy
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.report.model import Report
    from meshproof.dsl.diagnostic import Diagnostic, Severity


class NoChoiceError(ValueError):
    """The target leaves nothing to callers that could be asked for, or not to this extent."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be compiled for which target, into which folder; `settings` are the options of the target.

    `version` is that of the program, for the lock. `require` is by whom all of the policy must be kept; None asks
    nothing of the target, which then leaves nothing to callers alone if it has a choice.
    """

    target: str
    folder: Path
    fail_level: Severity
    version: str
    settings: tuple[tuple[str, str], ...] = ()
    require: Judgement | None = None


def compile_policy(policy: Policy, options: JudgeOptions, order: Order, progress: Progress = silent) -> Report:
    """The report of a compile. Files are written only if nothing is wrong with the policy and the target can say all.

    The policy must have one mesh, or none if it could not be read.

    Raises:
        UnknownTargetError, BrokenTargetError: there is no such target, or it cannot be loaded.
        NoChoiceError: the target does not know what is required of it.
        OutputRefusedError, OSError: the folder is not ours, or cannot be written; it is as it was.
    """
    target = load(order.target)
    _check_choice(target, order)
    report = judge(policy, options, command="compile", progress=progress)
    if exit_code(report, order.fail_level) is not ExitCode.CLEAN:
        return report
    mesh = policy.meshes[0]
    wanted = CompileOptions(options.day, order.settings, digest(mesh), require=order.require or Judgement.ENFORCED)
    lowered = target.lower(mesh, wanted)
    report = _with_findings(report, lowered.diagnostics)
    if has_errors(lowered.diagnostics) or exit_code(report, order.fail_level) is not ExitCode.CLEAN:
        return report
    found = emitted(target, lowered, mesh, wanted, options.timeout_ms)
    report = _with_findings(report, found.diagnostics)
    return replace(report, compiled=_write(found, target, lowered, mesh, order)) if found.may_be_written else report


def _check_choice(target: AnyTarget, order: Order) -> None:
    if order.require is None:
        return
    known = target.judgements if isinstance(target, ChoosingTarget) else ()
    if order.require not in known:
        raise NoChoiceError(f"the target `{order.target}` has no choice of who keeps a policy")


def _with_findings(report: Report, diagnostics: tuple[Diagnostic, ...]) -> Report:
    environments = report.environments
    more = fingerprinted((Finding(diagnostic, environments) for diagnostic in diagnostics), report.sources)
    return replace(report, findings=(*report.findings, *more))


def _write(found: Emitted, target: AnyTarget, lowered: Lowered, mesh: Mesh, order: Order) -> Compiled:
    lock = lock_of(found.artifacts, target=order.target, source_hash=digest(mesh), version=order.version)
    written = write_output((*found.artifacts, lock), order.folder)
    return Compiled(
        target=order.target,
        folder=str(order.folder),
        files=written.files,
        notes=tuple(one.text for one in found.standings) or (found.known,),
        standings=tuple(CompiledStanding(one.judgement, one.verdict.value, one.without) for one in found.standings),
        environment=mesh.environment,
        title=target.title,
        residuals=lowered.residuals if isinstance(lowered, LeavesResiduals) else (),
        dials=lowered.dials if isinstance(lowered, LeavesResiduals) else (),
    )
