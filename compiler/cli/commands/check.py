"""`meshproof check`."""

from __future__ import annotations

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.progress import Line
from meshproof.compiler.cli.reading import judge_options, policy_at
from meshproof.compiler.cli.session import open_session
from meshproof.compiler.driver.judge import judge


@click.command("check")
@options.paths
@click.option("--fast", is_flag=True, default=None, help="Leave the solver out: no claims, and fewer checks.")
@options.output
@options.levels
@options.day
@options.environment
@options.audit
@options.solving
@options.speech
def command(paths: tuple[str, ...], **flags: object) -> None:
    """Judge a policy: all checks, all proofs, all tests.

    PATH is a `.mesh` file, a folder of them, or `-` for stdin; all of them together are one policy.
    """
    session = open_session("check", paths, flags)
    with Line(session) as progress:
        report = judge(policy_at(session, paths), judge_options(session), progress=progress)
    session.finish(report)
