"""`meshproof prove`."""

from __future__ import annotations

from importlib.util import find_spec

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.names import known_names
from meshproof.compiler.cli.progress import Line
from meshproof.compiler.cli.reading import judge_options, policy_at
from meshproof.compiler.cli.session import open_session
from meshproof.compiler.cli.watching import finish
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import Part
from meshproof.compiler.report.model import Report


@click.command("prove")
@options.paths
@click.option("--only", multiple=True, metavar="TITLE", help="The claims under this title alone. Repeatable.")
@click.option(
    "--cross-check", is_flag=True, help="Ask other engines, over another encoding, whether they come to the same."
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
    is_watching: bool,  # noqa: FBT001  the same
    **flags: object,
) -> None:
    """Prove the claims of a policy, or refute them with a request."""
    session = open_session("prove", paths, flags)
    if cross_check:
        _require_second_solver()

    def judged() -> Report:
        policy = policy_at(session, paths)
        titles = known_names("--only", only, (prove.title for mesh in policy.meshes for prove in mesh.proofs))
        wanted = judge_options(session, parts=frozenset({Part.CLAIMS}), only=titles, is_cross_checked=cross_check)
        with Line(session) as progress:
            return judge(policy, wanted, command="prove", progress=progress)

    finish(session, paths, judged, is_watching=is_watching)


def _require_second_solver() -> None:
    if find_spec("cvc5") is None:
        raise click.UsageError("--cross-check needs a second solver, cvc5: pip install 'meshproof[oracles]'")
