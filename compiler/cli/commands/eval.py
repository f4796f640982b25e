"""`meshproof eval`."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import write_exactly
from meshproof.compiler.cli.reading import meshes_to_ask, policy_at
from meshproof.compiler.cli.session import STDIN, open_session
from meshproof.compiler.driver.deciding import Answer, Answered, answer
from meshproof.compiler.report.exit_code import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOO_LONG = Answer(Answered.MALFORMED, '{"error": "the line is longer than a file may be"}')


@click.command("eval")
@options.paths
@click.option("--requests", required=True, metavar="FILE|-", help="One request a line, as JSON; `-` is stdin.")
@options.manifests
@options.day
@options.environment
@options.audit
@options.speech
def command(paths: tuple[str, ...], requests: str, **flags: object) -> None:
    """Decide requests, one a line.

    One decision a line comes out. A line that is no request that can be decided is answered with `{"error": …}`; the
    others go on, and the exit status is 2.
    """
    if requests == STDIN and STDIN in paths:
        raise click.UsageError("stdin, `-`, can be read once")
    session = open_session("eval", paths, flags)
    meshes = meshes_to_ask(session, policy_at(session, paths))
    outcomes = set()
    with _opened(requests) as stream:
        for line in _lines(stream, session.settings.max_file_bytes):
            found = _TOO_LONG if line is None else answer(meshes.mesh_for(line), line, session.day)
            outcomes.add(found.outcome)
            write_exactly(f"{found.text}\n")
    session.leave(_exit_code(outcomes))


def _exit_code(outcomes: set[Answered]) -> ExitCode:
    if Answered.MALFORMED in outcomes:
        return ExitCode.NOT_JUDGED
    return ExitCode.UNDECIDED if Answered.UNDECIDED in outcomes else ExitCode.CLEAN


@contextmanager
def _opened(requests: str) -> Iterator[IO[bytes]]:
    if requests == STDIN:
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(Path(requests).open("rb"))
        except OSError as error:
            raise click.UsageError(f"--requests: cannot read {requests}: {error.strerror}") from None
        yield stream


def _lines(stream: IO[bytes], limit: int) -> Iterator[str | None]:
    """The lines, without their ends; None for one that is longer than `limit` bytes. Lines of blanks are none."""
    while line := stream.readline(limit):
        if len(line) == limit and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(limit)
            yield None
        elif line.strip():
            yield line.decode("utf-8", "replace").strip()
