"""Options that several commands have. Each is named like its key in the configuration and left None if not given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


def paths(command: F) -> F:
    """`PATH...`: files, folders, or `-` for stdin."""
    return click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path())(command)


def manifests(command: F) -> F:
    """How manifests are read."""
    return _all(
        command,
        click.option(
            "--from",
            "from",
            type=click.Choice(["mesh", "istio", "app-mesh"]),
            help="What PATH holds; told by content if left out.",
        ),
        click.option("--option", multiple=True, metavar="KEY=VALUE", help="An option of the target. Repeatable."),
    )


def speech(command: F) -> F:
    """How much is said, and how it looks."""
    return _all(
        command,
        click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong."),
        click.option("-v", "--verbose", is_flag=True, help="Say more: every claim, every test line."),
        click.option(
            "--color", type=click.Choice(["auto", "always", "never"]), help="When to use colour; auto if left out."
        ),
    )


def watch(command: F) -> F:
    """Whether to go on at every change."""
    return click.option("--watch", "is_watching", is_flag=True, help="Judge again at every change, until Ctrl-C.")(
        command
    )


def output(command: F) -> F:
    """Where reports go."""
    return click.option(
        "--output",
        multiple=True,
        metavar="FORMAT[=FILE]",
        help="human (the default), json, sarif, junit, github, gitlab, markdown, csv; to stdout or a file. Repeatable.",
    )(command)


def day(command: F) -> F:
    """As of when."""
    return click.option("--at", metavar="DATE", help="As of this day, YYYY-MM-DD; today if left out.")(command)


def environment(command: F) -> F:
    """Which environment."""
    return click.option("--env", metavar="NAME", help="The environment, where there are some.")(command)


def audit(command: F) -> F:
    """What audit rules count for."""
    return click.option(
        "--audit", type=click.Choice(["logged", "as-enforced"]), help="Take `audit` rules for logged or enforced."
    )(command)


def solving(command: F) -> F:
    """How hard to try."""
    return _all(
        command,
        click.option("--jobs", metavar="N", help="Taken and unused: one is as quick (ADR 0083)."),
        click.option("--timeout", metavar="TIME", help="The longest for one verdict; 10s if left out."),
        click.option("--strict", is_flag=True, default=None, help="A claim that nothing could break is an error."),
    )


def levels(command: F) -> F:
    """What counts."""
    return _all(
        command,
        click.option(
            "--fail-level",
            type=click.Choice(["error", "warning", "info"]),
            metavar="LEVEL",
            help="End with status 1 from this on: error (if left out), warning or info.",
        ),
        click.option(
            "--select", multiple=True, metavar="CODE", help="Only these codes, such as MP3 or MP301. Repeatable."
        ),
        click.option("--ignore", multiple=True, metavar="CODE", help="Not these codes. Repeatable."),
    )


def _all(command: F, *decorators: Callable[[F], F]) -> F:
    for decorator in reversed(decorators):
        command = decorator(command)
    return command
