"""`meshproof graph`."""

from __future__ import annotations

import shutil
import subprocess

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import write_exactly
from meshproof.compiler.cli.reading import judge_options, mesh_to_ask, policy_at
from meshproof.compiler.cli.session import open_session
from meshproof.compiler.report import graph_text, reach_json
from meshproof.compiler.report.exit_code import ExitCode
from meshproof.compiler.report.honesty import remarks

FORMATS = ("mermaid", "dot", "svg", "json")


@click.command("graph")
@options.paths
@click.option("--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], help="mermaid if left out.")
@options.manifests
@options.day
@options.environment
@options.audit
@options.solving
@options.speech
def command(paths: tuple[str, ...], form: str, **flags: object) -> None:
    """Draw who may call whom.

    The arrows are the calls that are allowed, with the rules that allow them. `svg` needs the program `dot`.
    """
    from meshproof.compiler.driver.connecting import graph_of  # noqa: PLC0415  it loads z3
    from meshproof.compiler.smt.solver import Undecided  # noqa: PLC0415  the same

    session = open_session("graph", paths, flags)
    mesh = mesh_to_ask(session, policy_at(session, paths))
    try:
        nodes, links = graph_of(mesh, judge_options(session))
    except Undecided as undecided:
        click.echo(f"undecided: {undecided.reason}", err=True)
        session.leave(ExitCode.UNDECIDED)
    said = remarks(mesh.judgement)
    match form:
        case "json":
            write_exactly(reach_json.render_graph(nodes, links, session.day, mesh))
        case "dot":
            write_exactly(graph_text.dot(nodes, links, said))
        case "svg":
            write_exactly(_svg(graph_text.dot(nodes, links, said)))
        case _:
            write_exactly(graph_text.mermaid(nodes, links, said))
    session.leave(ExitCode.CLEAN)


def _svg(text: str) -> str:
    program = shutil.which("dot")
    if program is None:
        raise click.UsageError("--format svg needs the program `dot` of Graphviz; `--format dot` writes what it reads")
    done = subprocess.run([program, "-Tsvg"], input=text, capture_output=True, text=True, check=False)  # noqa: S603  found on PATH, and told nothing but where to write
    if done.returncode != 0:
        raise click.UsageError(f"`dot` failed: {done.stderr.strip()}")
    return done.stdout
