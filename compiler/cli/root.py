"""The command's root: names, help and version without loading any command, and what happens to errors."""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, NoReturn, cast

import click

from meshproof import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: dict[str, str] = {
    "check": "Judge a policy: all checks, all proofs, all tests.",
    "prove": "Prove the claims of a policy, or refute them with a request.",
    "test": "Run the tests of a policy.",
    "compile": "Check a policy and write it for a target.",
    "diff": "Say what a change opens and closes, request by request.",
    "drift": "Compare what runs in a mesh with what the policy says.",
    "eval": "Decide requests, one a line.",
    "why": "Explain the decision about one request.",
    "query": "Ask one question about a policy: a claim, a test line, or who reaches whom.",
    "import": "Write the policy that says what the files of a mesh say, and prove that it does.",
    "graph": "Draw who may call whom.",
    "fmt": "Write policies in the one layout.",
    "explain": "Explain a code such as MP301.",
    "init": "Start a policy in a folder.",
    "doctor": "Show what this installation is made of.",
    "config": "Show the settings in force.",
    "completion": "Print what makes a shell complete commands and options.",
}
"""Every command and its one-line help, which a test holds equal to the command's own."""

FIRST_STEPS = """\
Start a policy:      meshproof init policy
Judge it:            meshproof check policy
See all commands:    meshproof --help
"""

EPILOG = """\b
Exit status:
  0  clean
  1  a finding at or above --fail-level, a refuted claim or a failed test
  2  nothing could be judged: usage, unreadable input, bad syntax or names
  3  undecided, and nothing refuted
  4  an internal error

\b
Settings come from flags, MESHPROOF_… variables and the nearest
meshproof.toml: `meshproof config show` lists them.
"""


def module_of(command: str) -> str:
    """The module of a command: that of one whose name is a word of Python ends in an underscore."""
    return f"meshproof.compiler.cli.commands.{command}{'_' if iskeyword(command) else ''}"


class Root(click.Group):
    """A group that loads a command when it is called, and turns every error into an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of a policy's life."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded now."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        return cast("click.Command", import_module(module_of(cmd_name)).command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called; an unknown one is answered with the closest name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from meshproof.compiler.config.load import closest  # noqa: PLC0415  only after a mistake

            near = closest(args[0], COMMANDS)
            advice = f"Did you mean `{near}`?" if near else "See `meshproof --help`."
            raise click.UsageError(f"There is no command `{args[0]}`. {advice}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands, without loading them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[click.shell_completion.CompletionItem]:
        """Commands for a shell, without loading them."""
        names = [
            click.shell_completion.CompletionItem(name, help=text)
            for name, text in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; whatever it did not foresee becomes exit code 4, Ctrl-C exit code 3."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            ctx.exit(3)
        except Exception as error:  # noqa: BLE001  the one place that answers for bugs
            _report_bug(ctx, error)


@click.command(
    cls=Root,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="meshproof %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """Policy-as-code compiler and verifier for service meshes."""
    if ctx.invoked_subcommand is None:
        click.echo(FIRST_STEPS, nl=False)


def _report_bug(ctx: click.Context, error: Exception) -> NoReturn:
    from meshproof.compiler.cli.bug import bug_report  # noqa: PLC0415  only after a bug

    is_verbose = any(argument in {"-v", "--verbose"} for argument in _arguments(ctx))
    click.echo(bug_report(error, is_verbose=is_verbose), err=True, nl=False)
    ctx.exit(4)


def _arguments(ctx: click.Context) -> Sequence[str]:
    import sys  # noqa: PLC0415  only after a bug

    del ctx
    return sys.argv[1:]
