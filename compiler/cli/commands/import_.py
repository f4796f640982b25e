"""`meshproof import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import write_exactly
from meshproof.compiler.cli.reading import judge_options, policy_at
from meshproof.compiler.cli.session import Session, open_session
from meshproof.compiler.driver.judge import unjudged
from meshproof.compiler.driver.writing import replace_file
from meshproof.compiler.report import import_json, import_text

if TYPE_CHECKING:
    from meshproof.compiler.report.model_import import Imported

ORIGINS = ("istio", "app-mesh")


@click.command("import")
@click.argument("origin", type=click.Choice(ORIGINS), metavar="istio|app-mesh")
@options.paths
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="The file; stdout if left out.")
@click.option("--force", is_flag=True, help="Write over a file that says something else.")
@click.option("--option", multiple=True, metavar="KEY=VALUE", help="An option of the target. Repeatable.")
@options.output
@options.day
@click.option("--timeout", metavar="TIME", help="The longest for one question to the solver; 10s if left out.")
@options.speech
def command(origin: str, paths: tuple[str, ...], out: Path | None, *, force: bool, **flags: object) -> None:
    """Write the policy that says what the files of a mesh say, and prove that it does.

    What it could not take is listed on stderr, object by object, and so is every difference. Status 0: everything was
    taken, and the policy is proved to mean the same; 1: something was not taken, or differs; 2: the files cannot be
    read; 3: undecided.
    """
    from meshproof.compiler.driver.importing import import_policy  # noqa: PLC0415  it loads z3

    session = open_session("import", paths, {**flags, "from": origin})
    policy = policy_at(session, paths)
    if not policy.is_judgeable:
        session.refuse(unjudged(policy, judge_options(session), "import"))
    found = import_policy(policy, session.day, judge_options(session).timeout_ms)
    if found.text is None:
        from dataclasses import replace  # noqa: PLC0415  only where no policy can be made

        broken = replace(policy, meshes=(), diagnostics=found.diagnostics, sources=found.sources)
        session.refuse(unjudged(broken, judge_options(session), "import"))
    if out is not None:
        _write(out, found.text, is_forced=force)
    _report(session, found, out)
    session.leave(found.exit_code)


def _write(out: Path, text: str, *, is_forced: bool) -> None:
    """Write the file; one that says something else is somebody's work."""
    data = text.encode("utf-8")
    try:
        if out.exists() and not is_forced and out.read_bytes() != data:
            raise click.UsageError(f"--out: `{out}` is there and says something else; name a new file, or give --force")
        replace_file(out, data)
    except OSError as error:
        raise click.UsageError(f"--out: cannot write `{out}`: {error.strerror}") from None


def _report(session: Session, found: Imported, out: Path | None) -> None:
    """The policy on stdout, unless it went to a file or data is asked for there; the rest on stderr."""
    click.echo(import_text.render(found, session.err), err=True, nl=False)
    is_silent = out is not None
    for destination in session.destinations:
        if destination.format.name != "json":
            continue
        text = import_json.render(found, out)
        if destination.file is None:
            is_silent = True
            write_exactly(text)
        else:
            _write_report(destination.file, text)
    if not is_silent:
        write_exactly(found.text or "")


def _write_report(file: Path, text: str) -> None:
    try:
        replace_file(file, text.encode("utf-8"))
    except OSError as error:
        raise click.UsageError(f"--output: cannot write {file}: {error.strerror}") from None
