"""`meshproof explain CODE`."""

from __future__ import annotations

import click

from meshproof.compiler.checks.documentation import documentation_of
from meshproof.compiler.checks.registry import find_check
from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import write_out
from meshproof.compiler.cli.session import Session, open_session
from meshproof.compiler.config.load import closest
from meshproof.compiler.report.look import Style
from meshproof.dsl.problems import BY_CODE, LEDGER, Problem


@click.command("explain")
@click.argument("code", required=False, metavar="CODE")
@options.speech
def command(code: str | None, **flags: object) -> None:
    """Explain a code such as MP301.

    CODE is a code or a name such as `shadowed`. Without one, all are listed.
    """
    session = open_session("explain", (), flags, needs_settings=False)
    if code is None:
        write_out("".join(f"{entry.code}  {entry.slug:<26} {entry.summary}\n" for entry in LEDGER))
        return
    write_out(explanation(_find(code), session))


def explanation(problem: Problem, session: Session) -> str:
    """What a code means: its check's documentation, or the ledger's sentence where no check stands behind it."""
    look = session.out
    check = find_check(problem.code)
    head = f"{look.paint(problem.code, Style.STRONG)} {problem.slug} ({problem.severity.value} by default)\n\n"
    if check is None:
        return f"{head}{_sentence(problem.summary)}\n"
    page = documentation_of(check)
    body = "\n\n".join(f"{look.paint(title, Style.STRONG)}\n{text}" for title, text in page.sections)
    return f"{head}{page.title}\n\n{body}\n"


def _find(code: str) -> Problem:
    by_name = {entry.slug: entry for entry in LEDGER}
    found = BY_CODE.get(code.upper()) or by_name.get(code.lower())
    if found is not None:
        return found
    near = closest(code.upper(), BY_CODE) if code[:2].upper() == "MP" else closest(code.lower(), by_name)
    advice = f"Did you mean `{near}`?" if near else "`meshproof explain` lists all."
    raise click.UsageError(f"There is no code `{code}`. {advice}")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
