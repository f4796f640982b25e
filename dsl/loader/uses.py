"""What `use` may name, and what is wrong if it does not."""

from __future__ import annotations

import posixpath
import re

from meshproof.dsl.ast.document import UseFile, UsePack
from meshproof.dsl.diagnostic import Diagnostic, Label
from meshproof.dsl.problems import found

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|//")
_ABSOLUTE = re.compile(r"[/~]|[A-Za-z]:")


def target(use: UseFile, file: str) -> str:
    """The file that is used, as it is shown, if it is used from `file`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), use.path.value))


def pack_file(pack: str) -> str:
    """The file that a pack is shown as."""
    return f"pack/{pack}.mesh"


def refused(use: UseFile) -> Diagnostic | None:
    """What is wrong with a path as it is written, if anything is."""
    path = use.path.value
    if _URL.match(path):
        reason, advice = "is a URL", "files are used from this repository alone: copy it, or take a pack"
    elif _ABSOLUTE.match(path):
        reason, advice = "is absolute", "write it relative to this file"
    elif "\\" in path:
        reason, advice = "holds a backslash", "write forward slashes"
    elif not path or not path.isprintable():
        reason, advice = "is no path", "write the path of a file, relative to this one"
    else:
        return None
    return found("MP007", f"the path `{path}` {reason}", use.path.span, "not a relative path", help=advice)


def leads_outside(use: UseFile) -> Diagnostic:
    """The finding for a path that leads out of the repository."""
    message = f"`{use.path.value}` leads out of the repository"
    advice = "copy the file into the repository, or take a pack"
    return found("MP007", message, use.path.span, "not in the repository", help=advice)


def names_folder(use: UseFile) -> Diagnostic:
    """The finding for a path where there is a folder."""
    message, advice = f"`{use.path.value}` is a folder", "name a file in it, or give the folder to the command too"
    return found("MP008", message, use.path.span, "not a file", help=advice)


def missing(use: UseFile, suggestion: str | None) -> Diagnostic:
    """The finding for a path where there is nothing."""
    advice = f"did you mean `{suggestion}`?" if suggestion else "the path is relative to the file that it stands in"
    return found("MP008", f"there is no file `{use.path.value}`", use.path.span, "not found", help=advice)


def unknown_pack(use: UsePack) -> Diagnostic:
    """The finding for a pack that is not shipped."""
    message = f"there is no pack `{use.pack.value}`"
    return found("MP011", message, use.pack.span, "not shipped", help='write `use "PATH"` for a file of your own')


def in_a_circle(chain: tuple[tuple[str, UseFile | UsePack], ...]) -> Diagnostic:
    """The finding for files that use each other: each with the `use` that leads to the next, the last to the first."""
    names = " → ".join([*(file for file, _ in chain), chain[0][0]])
    others = tuple(Label(use.span, f"`{file}` uses the next") for file, use in chain[:-1])
    last_file, last = chain[-1]
    text = f"`{last_file}` uses `{chain[0][0]}` again"
    message = f"files use each other in a circle: {names}"
    advice = "delete one of these: all files of a folder are one policy without it"
    return found("MP009", message, last.span, text, help=advice, others=others)


def bound_again(first: UseFile | UsePack, again: UseFile | UsePack) -> Diagnostic:
    """The finding for a file that two uses bind differently."""
    return found(
        "MP010",
        "a file is used a second time with other zones",
        again.span,
        "binds it again",
        help="a file is read once: bind its zones in one place",
        others=(Label(first.span, "bound here"),),
    )
