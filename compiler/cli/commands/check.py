"""`meshproof check`."""

from __future__ import annotations

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.progress import Line
from meshproof.compiler.cli.reading import judge_options, policy_at
from meshproof.compiler.cli.session import open_session
from meshproof.compiler.cli.watching import finish
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.report.model import Report


@click.command("check")
@options.paths
@click.option("--fast", is_flag=True, default=None, help="Leave the solver out: no claims, and fewer checks.")
@options.output
@options.levels
@options.manifests
@options.day
@options.environment
@options.audit
@options.solving
@options.watch
@options.speech
def command(paths: tuple[str, ...], is_watching: bool, **flags: object) -> None:  # noqa: FBT001  click calls it
    """Judge a policy: all checks, all proofs, all tests.

    PATH is a `.mesh` file, a folder of them, or `-` for stdin; all of them together are one policy.
    """
    session = open_session("check", paths, flags)

    def judged() -> Report:
        with Line(session) as progress:
            return judge(policy_at(session, paths), judge_options(session), progress=progress)

    finish(session, paths, judged, is_watching=is_watching)
