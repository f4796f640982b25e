"""`meshproof config show`."""

from __future__ import annotations

import json

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import write_exactly, write_out
from meshproof.compiler.cli.session import open_session
from meshproof.compiler.config.keys import KEYS, Settings

SCHEMA = "meshproof/config/v1"


@click.group("config")
def command() -> None:
    """Show the settings in force."""


@command.command("show")
@click.argument("path", required=False, type=click.Path())
@click.option("--output", type=click.Choice(["human", "json"]), default="human", help="The form of the answer.")
@options.speech
def show(path: str | None, output: str, **flags: object) -> None:
    """Show every setting and where it comes from.

    For a policy at PATH, or in the working directory. The nearest `meshproof.toml` counts, or `[tool.meshproof]` in
    `pyproject.toml`; variables such as MESHPROOF_FAIL_LEVEL win over it, and flags over both.
    """
    session = open_session("config", (path,) if path else (), flags)
    origins = dict(session.origins)
    rows = [(key.name, _plain(session.settings, key.field), origins[key.name]) for key in KEYS]
    if output == "json":
        settings = [{"key": name, "value": value, "origin": origin} for name, value, origin in rows]
        write_exactly(json.dumps({"schema": SCHEMA, "settings": settings}, indent=2, ensure_ascii=False) + "\n")
        return
    names = max(len(name) for name, _, _ in rows)
    texts = [json.dumps(value, ensure_ascii=False) for _, value, _ in rows]
    values = max(map(len, texts))
    write_out(
        "".join(
            f"{name:<{names}} = {text:<{values}}  # {origin}\n"
            for (name, _, origin), text in zip(rows, texts, strict=True)
        )
    )


def _plain(settings: Settings, field: str) -> str | int | float | bool | dict[str, str] | list[str] | None:
    """A value as JSON knows it."""
    value = getattr(settings, field)
    if value is None or isinstance(value, bool | int | float):
        return value
    if field == "option":
        return dict(value)
    return list(value) if isinstance(value, tuple) else str(value)
