"""`meshproof diff`."""

from __future__ import annotations

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import DEFAULT, write_each
from meshproof.compiler.cli.reading import judge_options
from meshproof.compiler.cli.session import STDIN, Session, open_session
from meshproof.compiler.driver.diffing import Comparison, Side, compare, read_sides
from meshproof.compiler.driver.judge import unjudged
from meshproof.compiler.driver.policy import Reading
from meshproof.compiler.driver.revisions import RevisionError
from meshproof.compiler.report import diff_json, diff_text
from meshproof.compiler.report.diff_exit_code import diff_exit_code
from meshproof.compiler.report.model_diff import FailOn
from meshproof.dsl.loader import Limits


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option(
    "--fail-on",
    type=click.Choice([one.value for one in FailOn]),
    help="End with status 1 if something is newly allowed, newly denied, or different at all.",
)
@click.option(
    "--callers",
    type=click.Choice(["identity", "workload"]),
    default="identity",
    help="Whether a caller is the same by its identity or by its name, whatever its account is.",
)
@options.output
@options.manifests
@options.day
@options.environment
@options.audit
@options.solving
@options.speech
def command(old: str, new: str, fail_on: str | None, callers: str, **flags: object) -> None:
    """Say what a change opens and closes, request by request.

    OLD and NEW are policies or manifests: files, folders, or revisions of git, REV or REV:PATH. An existing path wins,
    `git:REV` is a revision in any case. The difference is told as regions of requests that cover it exactly.
    """
    if STDIN in {old, new}:
        raise click.UsageError("a side of a comparison is a path or a revision, not stdin")
    session = open_session("diff", (new,), flags)
    wanted_at = session.destinations_in((DEFAULT, "json"), "a comparison")
    sides = _sides(session, old, new)
    options_of = judge_options(session)
    for side in sides:
        if not side.policy.is_judgeable:
            click.echo(f"{side.name} cannot be compared:", err=True)
            session.finish(unjudged(side.policy, options_of, "diff"))
    comparison = Comparison(
        day=session.day,
        timeout_ms=options_of.timeout_ms,
        audit_as_enforced=options_of.audit_as_enforced,
        by_workload=callers == "workload",
    )
    report = compare(*sides, comparison)
    wanted = None if fail_on is None else FailOn(fail_on)
    write_each(
        wanted_at,
        session.out,
        lambda form, look: diff_text.render(report, look) if form.name == DEFAULT else diff_json.render(report, wanted),
    )
    session.leave(diff_exit_code(report, wanted))


def _sides(session: Session, old: str, new: str) -> tuple[Side, Side]:
    settings = session.settings
    reading = Reading(
        environment=settings.env,
        limits=Limits(settings.max_file_bytes, settings.max_policy_bytes),
        origin=settings.origin,
        settings=settings.option,
    )
    try:
        return read_sides(old, new, reading)
    except RevisionError as error:
        raise click.UsageError(str(error)) from None
