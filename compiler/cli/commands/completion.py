"""`meshproof completion SHELL`."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from meshproof.compiler.cli.output import write_out

PROGRAM = "meshproof"
VARIABLE = "_MESHPROOF_COMPLETE"
INSTALLATION = """\b
Once and for all:
  bash  echo 'eval "$(meshproof completion bash)"' >> ~/.bashrc
  zsh   echo 'eval "$(meshproof completion zsh)"' >> ~/.zshrc
  fish  meshproof completion fish > ~/.config/fish/completions/meshproof.fish
"""


@click.command("completion", epilog=INSTALLATION)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print what makes a shell complete commands and options."""
    write_out(script_for(shell))  # no settings are read: a shell starts wherever it likes


def script_for(shell: str) -> str:
    """The script for a shell, which asks the program itself at each press of the key."""
    kind = get_completion_class(shell)
    assert kind is not None
    # Not `source()`: for bash it first asks which version is installed, and the script may be for another machine.
    return f"{ShellComplete.source(kind(click.Command(PROGRAM), {}, PROGRAM, VARIABLE)).strip()}\n"
