"""`meshproof drift`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import DEFAULT, write_each
from meshproof.compiler.cli.reading import judge_options, one_environment, policy_at, reading_of, stdin_of
from meshproof.compiler.cli.session import STDIN, Session, open_session
from meshproof.compiler.driver.diffing import Comparison, Side
from meshproof.compiler.driver.drifting import drift, expected_of, read_live
from meshproof.compiler.driver.judge import unjudged
from meshproof.compiler.driver.policy import Policy
from meshproof.compiler.report import drift_json, drift_text
from meshproof.compiler.report.exit_code import ExitCode
from meshproof.compiler.report.model_drift import DriftReport
from meshproof.dsl.diagnostic import Diagnostic


@click.command("drift")
@options.paths
@click.option("--live", required=True, metavar="DIR|-", help="The objects that run; `-` is stdin.")
@options.output
@options.manifests
@options.day
@options.environment
@options.audit
@options.solving
@options.speech
def command(paths: tuple[str, ...], live: str, **flags: object) -> None:
    """Compare what runs in a mesh with what the policy says.

    `kubectl get -o yaml` of the kinds of Istio gives the live objects, with Deployments and Services if they are to be
    looked at too. Ends with status 1 if what runs means something else, an object is missing, or a dry run was left on.
    """
    if live == STDIN and STDIN in paths:
        raise click.UsageError("stdin, `-`, can be read once")
    session = open_session("drift", paths, flags)
    wanted_at = session.destinations_in((DEFAULT, "json"), "a comparison")
    policy = one_environment(session, policy_at(session, paths))
    _refuse_unjudged(session, policy)
    side = Side(", ".join(paths), policy)
    expected = expected_of(side, CompileOptions(session.day, session.settings.option))
    _refuse_incomplete(session, policy, expected.diagnostics)
    reading = reading_of(session)
    stdin = stdin_of(session) if live == STDIN else None
    running = read_live(None if live == STDIN else Path(live), stdin, reading, expected.known)
    _refuse_unjudged(session, running.side.policy)
    report = drift(
        expected,
        running,
        Comparison(session.day, judge_options(session).timeout_ms, judge_options(session).audit_as_enforced),
    )
    write_each(
        wanted_at,
        session.out,
        lambda form, look: drift_text.render(report, look) if form.name == DEFAULT else drift_json.render(report),
    )
    session.leave(_exit_code(report))


def _refuse_unjudged(session: Session, policy: Policy) -> None:
    if not policy.is_judgeable:
        session.finish(unjudged(policy, judge_options(session), "drift"))


def _refuse_incomplete(session: Session, policy: Policy, diagnostics: tuple[Diagnostic, ...]) -> None:
    """Say why the policy does not compile: what should run is not known then."""
    if diagnostics:
        session.finish(unjudged(replace(policy, meshes=(), diagnostics=diagnostics), judge_options(session), "drift"))


def _exit_code(report: DriftReport) -> ExitCode:
    if report.has_drifted:
        return ExitCode.FOUND
    return ExitCode.CLEAN if report.difference.is_complete else ExitCode.UNDECIDED
