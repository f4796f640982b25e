"""`meshproof why`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import DEFAULT, write_each
from meshproof.compiler.cli.reading import meshes_to_ask, policy_at
from meshproof.compiler.cli.session import Session, open_session
from meshproof.compiler.driver.asking import Asked, requests_in
from meshproof.compiler.driver.explaining import explain
from meshproof.compiler.driver.fingerprint import fingerprinted
from meshproof.compiler.driver.judge import names_of
from meshproof.compiler.report import why_json, why_text
from meshproof.compiler.report.exit_code import ExitCode
from meshproof.compiler.report.model import Finding, Report
from meshproof.compiler.report.model_why import Explanation, WhyReport
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled
from meshproof.dsl.problems import found
from meshproof.dsl.source import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.diagnostic import Diagnostic


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
        judgement=mesh.judgement,
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
        _refuse(session, replace(asked, diagnostics=(_about(asked, "MP101", f"the request has no decision: {error}"),)))
    except NotModelled as error:
        click.echo(f"undecided: {error.told}", err=True)
        unknown = _about(asked, "MP606", f"the decision is not known: {error.told}")
        session.write_for_programs(_report(session, (unknown,), asked))
        session.leave(ExitCode.UNDECIDED)


def _about(asked: Asked, code: str, message: str) -> Diagnostic:
    """What is wrong with the request as a whole."""
    return found(code, message, Span(asked.source.path, 0, len(asked.source.text.rstrip())))


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


def _refuse(session: Session, asked: Asked) -> NoReturn:
    session.refuse(replace(_report(session, asked.diagnostics, asked), is_judged=False))


def _report(session: Session, diagnostics: Sequence[Diagnostic], asked: Asked) -> Report:
    sources = {asked.source.path: asked.source}
    findings = fingerprinted((Finding(one) for one in diagnostics), sources)
    return Report("why", session.day, findings=findings, sources=sources)
