"""`meshproof explain CODE`."""

from __future__ import annotations

from itertools import groupby

import click
from click.shell_completion import CompletionItem

from meshproof.compiler.checks.documentation import documentation_of
from meshproof.compiler.checks.registry import find_check
from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import write_out
from meshproof.compiler.cli.session import open_session
from meshproof.compiler.config.load import closest
from meshproof.compiler.report.look import Look, Style
from meshproof.compiler.report.page_text import page_text
from meshproof.dsl.explanations import explanation_of
from meshproof.dsl.problems import BY_CODE, KINDS, LEDGER, Problem


def _codes(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Codes and names for a shell."""
    words = [(word, entry.summary) for entry in LEDGER for word in (entry.code, entry.slug)]
    return [CompletionItem(word, help=text) for word, text in words if word.startswith(begun)]


@click.command("explain")
@click.argument("code", required=False, metavar="CODE", shell_complete=_codes)
@options.speech
def command(code: str | None, **flags: object) -> None:
    """Explain a code such as MP301.

    CODE is a code or a name such as `shadowed`. Without one, all are listed.
    """
    session = open_session("explain", (), flags, needs_settings=False)
    write_out(listing(session.out) if code is None else explanation(_find(code), session.out))


def listing(look: Look) -> str:
    """All codes with their names and sentences, kind by kind."""
    width = max(len(entry.slug) for entry in LEDGER)
    kinds = []
    for kind, entries in groupby(LEDGER, key=lambda entry: entry.code[:3]):
        lines = [f"{entry.code}  {entry.slug:<{width}}  {entry.summary}\n" for entry in entries]
        kinds.append(f"{look.paint(f'{kind}: {KINDS[kind]}', Style.STRONG)}\n" + "".join(lines))
    return "\n".join(kinds)


def explanation(problem: Problem, look: Look) -> str:
    """What a code means: the ledger's sentence, then its check's documentation or what is written about it."""
    head = f"{look.paint(problem.code, Style.STRONG)} {problem.slug} ({problem.severity.value} by default)"
    check = find_check(problem.code)
    if check is not None:
        page = documentation_of(check)
        return f"{head}\n\n{page.title}\n\n{page_text(page.markdown, look)}\n"
    text = explanation_of(problem.code)
    parts = [head, _sentence(problem.summary), *([page_text(text, look)] if text else [])]
    return "\n\n".join(parts) + "\n"


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
