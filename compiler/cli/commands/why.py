"""`meshproof why`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import DEFAULT, write_each
from meshproof.compiler.cli.reading import meshes_to_ask, policy_at
from meshproof.compiler.cli.session import Session, open_session
from meshproof.compiler.driver.asking import Asked, requests_in
from meshproof.compiler.driver.explaining import explain
from meshproof.compiler.driver.judge import names_of
from meshproof.compiler.report import why_json, why_text
from meshproof.compiler.report.exit_code import ExitCode
from meshproof.compiler.report.model import Finding, Report
from meshproof.compiler.report.model_why import Explanation, WhyReport
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled

if TYPE_CHECKING:
    from meshproof.compiler.ir.mesh import Mesh


@click.command("why")
@click.argument("paths", nargs=-1, required=True, metavar="PATH... REQUEST")
@options.output
@options.manifests
@options.day
@options.environment
@options.audit
@options.speech
def command(paths: tuple[str, ...], **flags: object) -> None:
    """Explain the decision about one request.

    REQUEST is a request as JSON, `@FILE` with one, or a line as in a test:
    `"frontend -> payment:grpc call shop.Payment/Charge"`. The answer names the rules that decided and what they became
    in emitted files, or the allows that came closest.
    """
    *places, text = paths
    if not places:
        raise click.UsageError("a policy and a request are needed: PATH... REQUEST")
    session = open_session("why", places, flags)
    wanted_at = session.destinations_in((DEFAULT, "json"), "an explanation")
    policy = policy_at(session, places)
    request = _request(text, session.settings.max_file_bytes)
    mesh = meshes_to_ask(session, policy).mesh_for(request)
    asked = requests_in(mesh, request)
    if not asked.requests:
        _refuse(session, asked)
    report = WhyReport(
        day=session.day,
        environment=mesh.environment,
        answers=_answers(session, mesh, asked),
        identities=names_of((mesh,)),
        sources=policy.sources,
    )
    write_each(
        wanted_at,
        session.out,
        lambda form, look: why_text.render(report, look) if form.name == DEFAULT else why_json.render(report),
    )
    session.leave(ExitCode.CLEAN)


def _answers(session: Session, mesh: Mesh, asked: Asked) -> tuple[Explanation, ...]:
    try:
        return explain(mesh, asked.requests, session.day)
    except (MalformedRequest, MissingAnswer) as error:
        raise click.UsageError(f"the request has no decision: {error}") from None
    except NotModelled as error:
        click.echo(f"undecided: {error}", err=True)
        session.leave(ExitCode.UNDECIDED)


def _request(text: str, limit: int) -> str:
    if not text.startswith("@"):
        return text
    try:
        with Path(text[1:]).open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise click.UsageError(f"cannot read the request {text[1:]}: {error.strerror}") from None
    if len(data) > limit:
        raise click.UsageError(f"the request {text[1:]} is larger than a file may be")
    return data.decode("utf-8", "replace")


def _refuse(session: Session, asked: Asked) -> None:
    report = Report("why", is_judged=False, sources={asked.source.path: asked.source})
    session.refuse(replace(report, findings=tuple(Finding(one) for one in asked.diagnostics)))
