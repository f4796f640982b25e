"""`meshproof init DIR`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import write_out
from meshproof.compiler.cli.session import open_session
from meshproof.compiler.driver.starting import HasPolicyError, start_policy


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@options.speech
def command(folder: Path, **flags: object) -> None:
    """Start a policy in a folder.

    Writes a small policy that is sound and explains itself. The folder is made if it is not there; what is in it
    stays as it is, and if there is a policy already, nothing is written.
    """
    session = open_session("init", (str(folder),), flags)
    try:
        file = start_policy(folder)
    except HasPolicyError as there:
        raise click.UsageError(f"{there}: name another folder, or change that policy") from None
    except OSError as error:
        raise click.UsageError(f"cannot write into {folder}: {(error.strerror or str(error)).lower()}") from None
    if session.out.verbosity >= 0:
        place = shlex.quote(str(folder))
        write_out(
            f"wrote {file}\n\n"
            f"Judge it:            meshproof check {place}\n"
            f"Keep it in form:     meshproof fmt {place}\n"
            f"Write it for Istio:  meshproof compile {place} --target istio\n"
        )
