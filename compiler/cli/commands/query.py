"""`meshproof query`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import DEFAULT, write_each
from meshproof.compiler.cli.progress import Line
from meshproof.compiler.cli.reading import judge_options, mesh_to_ask, policy_at
from meshproof.compiler.cli.session import Session, open_session
from meshproof.compiler.driver.judge import judge, unjudged
from meshproof.compiler.driver.options import Part
from meshproof.compiler.driver.querying import Question, asked, statement_of
from meshproof.compiler.report import reach_json, reach_text
from meshproof.compiler.report.exit_code import ExitCode
from meshproof.compiler.report.honesty import remarks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.compiler.verify.reachability import Way


WHO_REACHES = "who-reaches"
REACHED_BY = "reached-by"


_WORKLOAD = re.compile(r"(?P<name>[a-z0-9.-]+/[a-z0-9._-]+)(?P<port>:[a-z0-9-]+)?")


@click.command("query")
@click.argument("paths", nargs=-1, required=True, metavar="PATH... [LINE]")
@click.option("--who-reaches", metavar="D", help="Who reaches this, directly or through others.")
@click.option("--reached-by", metavar="S", help="What these callers reach, directly or through others.")
@options.output
@options.manifests
@options.day
@options.environment
@options.audit
@options.solving
@options.speech
def command(paths: tuple[str, ...], who_reaches: str | None, reached_by: str | None, **flags: object) -> None:
    """Ask one question about a policy: a claim, a test line, or who reaches whom.

    LINE is a claim such as `"only checkout reaches payment"`, or a line of a test with its outcome. D and S are sets
    as in claims: `payment:grpc`, `"{ cart, payment }"`, `"namespace shop"`.
    """
    if who_reaches is not None and reached_by is not None:
        raise click.UsageError("one question at a time: --who-reaches or --reached-by")
    if who_reaches is not None:
        _ways(paths, f"anyone can reach {_quoted(who_reaches)}", WHO_REACHES, flags)
    elif reached_by is not None:
        _ways(paths, f"{_quoted(reached_by)} can reach all", REACHED_BY, flags)
    else:
        _line(paths, flags)


def _quoted(written: str) -> str:
    """A set as it is written, with quotes round a lone workload of manifests: shells take those away."""
    found = _WORKLOAD.fullmatch(written)
    return written if found is None else f'"{found["name"]}"{found["port"] or ""}'


def _line(paths: tuple[str, ...], flags: dict[str, object]) -> None:
    *places, text = paths
    if not places:
        raise click.UsageError("a policy and a question are needed: PATH... LINE")
    session = open_session("query", places, flags)
    policy = policy_at(session, places)
    wanted = judge_options(session, parts=frozenset({Part.CLAIMS, Part.TESTS}))
    if not policy.is_judgeable:
        session.finish(unjudged(policy, wanted, "query"))
    with Line(session) as progress:
        report = judge(asked(policy, text).policy, wanted, command="query", progress=progress)
    session.finish(report)


def _ways(paths: Sequence[str], claim: str, question: str, flags: dict[str, object]) -> None:
    session = open_session("query", paths, flags)
    wanted_at = session.destinations_in((DEFAULT, "json"), "an answer with ways")
    policy = policy_at(session, paths)
    mesh = mesh_to_ask(session, policy)
    found = asked(replace(policy, meshes=(mesh,)), claim)
    if not found.is_sound:
        session.refuse(unjudged(found.policy, judge_options(session), "query"))
    ways = _answers(session, found, question)
    write_each(
        wanted_at,
        session.out,
        lambda form, look: (
            reach_text.render(ways, look, remarks(mesh.judgement))
            if form.name == DEFAULT
            else reach_json.render_ways(ways, question, session.day, mesh)
        ),
    )
    session.leave(ExitCode.CLEAN)


def _answers(session: Session, found: Question, question: str) -> tuple[Way, ...]:
    from meshproof.compiler.driver.connecting import ways_from, ways_to  # noqa: PLC0415  it loads z3
    from meshproof.compiler.smt.solver import Undecided  # noqa: PLC0415  the same

    ask = ways_to if question == WHO_REACHES else ways_from
    try:
        return ask(found.policy.meshes[0], statement_of(found), judge_options(session))
    except Undecided as undecided:
        click.echo(f"undecided: {undecided.reason}", err=True)
        session.leave(ExitCode.UNDECIDED)
