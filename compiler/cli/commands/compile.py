"""`meshproof compile`."""

from __future__ import annotations

from pathlib import Path

import click

from meshproof import __version__
from meshproof.compiler.backend.output import OutputRefusedError
from meshproof.compiler.backend.registry import BrokenTargetError, UnknownTargetError
from meshproof.compiler.cli import options
from meshproof.compiler.cli.progress import Line
from meshproof.compiler.cli.reading import judge_options, one_environment, policy_at
from meshproof.compiler.cli.session import Session, open_session
from meshproof.compiler.config.load import did_you_mean
from meshproof.compiler.driver.compiling import NoChoiceError, Order, compile_policy
from meshproof.compiler.ir.judgement import Judgement


@click.command("compile")
@options.paths
@click.option("--target", required=True, metavar="NAME", help="What to compile for: app-mesh, istio, native.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder; build/TARGET if left out.")
@click.option(
    "--require",
    type=click.Choice([one.value for one in Judgement]),
    help="app-mesh: who must keep all of it: servers (enforced, if left out), or callers too (cooperative).",
)
@click.option("--option", multiple=True, metavar="KEY=VALUE", help="An option of the target. Repeatable.")
@options.output
@options.levels
@options.day
@options.environment
@options.solving
@options.speech
def command(paths: tuple[str, ...], target: str, out: Path | None, require: str | None, **flags: object) -> None:
    """Check a policy and write it for a target.

    Nothing is written unless `check` would end with status 0. The folder must be new, empty or ours; what was in it
    stays until the new files are complete.
    """
    session = open_session("compile", paths, flags)
    settings = session.settings.option
    policy = one_environment(session, policy_at(session, paths))
    required = None if require is None else Judgement(require)
    folder = out or Path("build") / target
    order = Order(target, folder, session.settings.fail_level, __version__, settings, required)
    try:
        with Line(session) as progress:
            report = compile_policy(policy, judge_options(session), order, progress)
    except UnknownTargetError as error:
        raise click.UsageError(f"--target: {error}; {did_you_mean(target, error.known)}") from None
    except BrokenTargetError as error:
        raise click.UsageError(f"--target: {error}") from None
    except NoChoiceError as error:
        raise click.UsageError(f"--require: {error}; leave it out") from None
    except OutputRefusedError as error:
        raise click.UsageError(f"--out: {error}; name a new folder, or remove what is in this one") from None
    except OSError as error:
        raise click.UsageError(f"--out: cannot write `{order.folder}`: {error.strerror}") from None
    if report.compiled is None:
        _say_nothing_written(session)
    session.finish(report)


def _say_nothing_written(session: Session) -> None:
    if session.err.verbosity >= 0:
        click.echo("nothing was written", err=True)
