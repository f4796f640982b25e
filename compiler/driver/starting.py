"""A new policy: a small one that is sound, for its author to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.dsl.loader.files import SUFFIX
from meshproof.dsl.parser.lexer import is_bare_name
from meshproof.policies.catalog import read_starter

if TYPE_CHECKING:
    from pathlib import Path

FILE = "policy.mesh"
NAME = "shop"


class HasPolicyError(Exception):
    """There is a policy already; `file` is one of its files."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"{file} is there already")
        self.file = file


def start_policy(folder: Path) -> Path:
    """Write the policy into a folder, which is made if it is not there; its file. Nothing is ever overwritten.

    The mesh is named after the folder where that is a name.

    Raises:
        HasPolicyError: there are policy files in the folder, which would be one policy with the new one.
        OSError: the file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    there = sorted(entry for entry in folder.iterdir() if entry.name.endswith(SUFFIX))
    if there:
        raise HasPolicyError(there[0])
    file = folder / FILE
    text = starting_policy(folder.resolve().name)
    try:
        with file.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise HasPolicyError(file) from None
    return file


def starting_policy(name: str) -> str:
    """The text of the policy, for a mesh of that name."""
    text = read_starter()
    return text.replace(f"mesh {NAME} {{", f"mesh {name} {{", 1) if is_bare_name(name) else text
