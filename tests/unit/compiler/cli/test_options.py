"""Options that commands share: each is a setting, or says how much is said."""

from __future__ import annotations

from importlib import import_module

import click
import pytest

from meshproof.compiler.cli import options
from meshproof.compiler.cli.root import COMMANDS, module_of
from meshproof.compiler.config.keys import KEYS, Settings

SHARED = {
    name: decorator
    for name in ("output", "levels", "day", "environment", "audit", "solving", "speech")
    if callable(decorator := getattr(options, name))
}


def options_of(name: str) -> list[click.Option]:
    command = click.command()(SHARED[name](lambda: None))
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


@pytest.mark.parametrize("name", SHARED)
def test_every_shared_option_but_quiet_and_verbose_is_a_setting(name: str) -> None:
    named = {option.name for option in options_of(name)} - {"quiet", "verbose"}

    assert named <= {key.field for key in KEYS}


@pytest.mark.parametrize("name", SHARED)
def test_an_option_that_is_not_given_leaves_the_setting_to_others(name: str) -> None:
    given = click.command()(SHARED[name](lambda: None)).make_context("x", []).params

    assert given
    assert {value for field, value in given.items() if field in Settings.__slots__} <= {None, ()}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_told_how_much_to_say(name: str) -> None:
    command = import_module(module_of(name)).command
    if name == "completion":
        assert {parameter.name for parameter in command.params} == {"shell"}
        return
    commands = list(command.commands.values()) if isinstance(command, click.Group) else [command]

    assert [one.name for one in commands if not {"quiet", "verbose", "color"} <= {p.name for p in one.params}] == []
