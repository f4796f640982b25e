"""`meshproof prove`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from meshproof import __version__
from meshproof.compiler.backend.output import OutputRefusedError
from meshproof.compiler.cli import options
from meshproof.compiler.cli.names import known_names
from meshproof.compiler.cli.progress import Line
from meshproof.compiler.cli.reading import judge_options, policy_at
from meshproof.compiler.cli.session import Session, open_session
from meshproof.compiler.cli.watching import finish
from meshproof.compiler.driver.evidence import Proofs, Run, refuse_folder, write_evidence
from meshproof.compiler.driver.evidence_inputs import SecretFoundError
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import Part
from meshproof.compiler.report.model import Report


@click.command("prove")
@options.paths
@click.option("--only", multiple=True, metavar="TITLE", help="The claims under this title alone. Repeatable.")
@click.option(
    "--cross-check", is_flag=True, help="Ask other engines, over another encoding, whether they come to the same."
)
@click.option(
    "--evidence",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write a folder from which others can check again what was proved: new, empty or evidence.",
)
@options.output
@options.levels
@options.manifests
@options.day
@options.environment
@options.audit
@options.solving
@options.watch
@options.speech
def command(
    paths: tuple[str, ...],
    only: tuple[str, ...],
    cross_check: bool,  # noqa: FBT001  click calls it
    evidence: Path | None,
    is_watching: bool,  # noqa: FBT001  the same
    **flags: object,
) -> None:
    """Prove the claims of a policy, or refute them with a request."""
    session = open_session("prove", paths, flags)
    if cross_check:
        _require_second_solver()
    if evidence is not None:
        _refuse_folder(evidence)

    def judged() -> Report:
        policy = policy_at(session, paths)
        titles = known_names("--only", only, (prove.title for mesh in policy.meshes for prove in mesh.proofs))
        wanted = judge_options(
            session,
            parts=frozenset({Part.CLAIMS}),
            only=titles,
            is_cross_checked=cross_check,
            is_recorded=evidence is not None,
        )
        proofs = Proofs()
        with Line(session) as progress:
            report = judge(policy, wanted, command="prove", progress=progress, keep=proofs.keep)
        if evidence is not None:
            run = Run(policy, wanted, report, proofs.kept, session.settings.fail_level, __version__)
            _write(session, run, evidence)
        return report

    finish(session, paths, judged, is_watching=is_watching)


def _refuse_folder(folder: Path) -> None:
    """Say before anything is solved that nothing could be written."""
    try:
        refuse_folder(folder)
    except OutputRefusedError as error:
        raise _refused(error) from None


def _write(session: Session, run: Run, folder: Path) -> None:
    """Write the evidence, unless nothing was judged or not all of it: half of it would be taken for the whole."""
    is_quiet = session.err.verbosity < 0
    if not run.report.is_judged or not run.report.is_complete:
        if not is_quiet:
            click.echo("no evidence was written", err=True)
        return
    try:
        files = write_evidence(run, folder)
    except SecretFoundError as error:
        raise click.UsageError(f"--evidence: {error}; leave it out of what is proved") from None
    except OutputRefusedError as error:
        raise _refused(error) from None
    except OSError as error:
        raise click.UsageError(f"--evidence: cannot write `{folder}`: {error.strerror}") from None
    if not is_quiet:
        click.echo(f"evidence: {len(files)} files in {folder}", err=True)


def _refused(error: OutputRefusedError) -> click.UsageError:
    return click.UsageError(f"--evidence: {error}; name a new folder, or remove what is in this one")


def _require_second_solver() -> None:
    if find_spec("cvc5") is None:
        raise click.UsageError("--cross-check needs a second solver, cvc5: pip install 'meshproof[oracles]'")
