"""The root of the command: what is listed, what is loaded, and what becomes of errors."""

from __future__ import annotations

from importlib import import_module

import click
import pytest
from tests.unit.compiler.cli.running import AS_OF, run, start

from meshproof import __version__
from meshproof.compiler.cli.root import COMMANDS, FIRST_STEPS, module_of, root
from meshproof.compiler.report.look import width_of


def command_of(name: str) -> click.Command:
    found = import_module(module_of(name)).command
    assert isinstance(found, click.Command)
    return found


def test_without_a_command_the_first_steps_are_shown() -> None:
    done = run()

    assert (done.exit_code, done.stdout) == (0, FIRST_STEPS)


def test_the_first_steps_and_the_help_name_commands_that_there_are() -> None:
    named = {line.split("meshproof ")[1].split()[0] for line in FIRST_STEPS.splitlines()}

    assert named - {"--help"} <= set(COMMANDS)


def test_the_version_is_that_of_the_package() -> None:
    assert run("--version").stdout == f"meshproof {__version__}\n"


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_every_command_with_its_sentence(flag: str) -> None:
    shown = " ".join(run(flag).stdout.split())

    assert [name for name, text in COMMANDS.items() if f" {name} {text}" not in shown] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_sentence_of_a_command_is_the_one_in_the_list(name: str) -> None:
    command = command_of(name)

    assert command.name == name
    assert (command.help or "").split("\n")[0] == COMMANDS[name]


def pages() -> list[tuple[str, ...]]:
    inner = [
        (name, child)
        for name in COMMANDS
        if isinstance(command := command_of(name), click.Group)
        for child in command.commands
    ]
    return [(), *((name,) for name in COMMANDS), *inner]


@pytest.mark.parametrize("page", pages(), ids=" ".join)
@pytest.mark.parametrize("columns", ["80", "100"])
def test_help_fits_and_leaves_nothing_out(page: tuple[str, ...], columns: str) -> None:
    done = run(*page, "--help", variables={"COLUMNS": columns})

    assert done.exit_code == 0
    assert max(map(width_of, done.stdout.splitlines())) <= int(columns)
    assert "...\n" not in done.stdout.split("\n", 1)[1]


@pytest.mark.parametrize("page", pages(), ids=" ".join)
def test_every_option_and_argument_is_explained(page: tuple[str, ...]) -> None:
    command: click.Command = root if not page else command_of(page[0])
    if len(page) > 1:
        assert isinstance(command, click.Group)
        command = command.commands[page[1]]

    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]

    assert [option.name for option in options if not option.help or option.help[-1] not in ".]"] == []


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("chek", "x"), "There is no command `chek`. Did you mean `check`?"),
        (("xyzzy",), "There is no command `xyzzy`. See `meshproof --help`."),
        (("check", "x", "--fial-level", "error"), "No such option '--fial-level'. Did you mean '--fail-level'?"),
        (("--verison",), "Did you mean '--version'?"),
        (("check",), "Missing argument 'PATH...'."),
        (("config", "shwo"), "No such command 'shwo'"),
    ],
)
def test_a_mistake_ends_with_2_and_is_answered_with_what_was_meant(arguments: tuple[str, ...], advice: str) -> None:
    done = run(*arguments)

    assert (done.exit_code, done.stdout) == (2, "")
    assert advice in done.stderr


@click.command("broken")
@click.option("-v", "--verbose", is_flag=True)
def broken(verbose: bool) -> None:
    """Fail."""
    raise ZeroDivisionError(f"nothing goes, {verbose}")


@click.command("stopped")
def stopped() -> None:
    """Be stopped."""
    raise KeyboardInterrupt


def give(monkeypatch: pytest.MonkeyPatch, command: click.Command) -> None:
    monkeypatch.setattr("meshproof.compiler.cli.commands.check.command", command)


def test_what_nobody_foresaw_ends_with_4_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, broken)

    done = run("check")

    assert (done.exit_code, done.stdout) == (4, "")
    assert "internal error: ZeroDivisionError: nothing goes, False" in done.stderr
    assert "in broken" in done.stderr
    assert f"meshproof {__version__}, Python 3." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_traceback_is_for_who_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, broken)
    monkeypatch.setattr("sys.argv", ["meshproof", "check", "-v"])

    done = run("check", "-v")

    assert done.exit_code == 4
    assert "Traceback (most recent call last)" in done.stderr


def test_ctrl_c_ends_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, stopped)

    done = run("check")

    assert (done.exit_code, done.stderr) == (3, "stopped\n")


def test_the_installed_command_and_the_module_are_the_same() -> None:
    assert start("--version").stdout == f"meshproof {__version__}\n"


def test_a_name_of_another_kind_is_no_command() -> None:
    assert root.get_command(click.Context(root), "__init__") is None


def test_what_comes_after_a_command_is_its_own_matter() -> None:
    done = run("check", "check", *AS_OF)

    assert "`check` cannot be read" in done.stdout
