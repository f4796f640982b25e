"""`meshproof test`."""

from __future__ import annotations

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.names import known_names
from meshproof.compiler.cli.reading import judge_options, policy_at
from meshproof.compiler.cli.session import open_session
from meshproof.compiler.cli.watching import finish
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import Part
from meshproof.compiler.report.model import Report


@click.command("test")
@options.paths
@click.option("--only", multiple=True, metavar="NAME", help="The tests of this name alone. Repeatable.")
@click.option("--coverage", is_flag=True, help="List the rules that decide no request of any test.")
@options.output
@options.levels
@options.manifests
@options.day
@options.environment
@options.audit
@options.watch
@options.speech
def command(
    paths: tuple[str, ...],
    only: tuple[str, ...],
    coverage: bool,  # noqa: FBT001  click calls it
    is_watching: bool,  # noqa: FBT001  the same
    **flags: object,
) -> None:
    """Run the tests of a policy."""
    session = open_session("test", paths, flags)

    def judged() -> Report:
        policy = policy_at(session, paths)
        names = known_names("--only", only, (block.name for mesh in policy.meshes for block in mesh.tests))
        wanted = judge_options(session, parts=frozenset({Part.TESTS}), only=names, has_coverage=coverage)
        return judge(policy, wanted, command="test")

    finish(session, paths, judged, is_watching=is_watching)
