"""The files that a policy was read from, as they go into evidence: their very bytes, under names that lead nowhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshproof.compiler.driver.policy import Policy

FOLDER = "inputs"
_UP = ".."
_UNSAFE = re.compile(r"""[<>:"|?*\\%\x00-\x1f\x7f]|^\s|[\s.]$""")
_REFUSED_KIND = "Secret"
_SECRET = re.compile(
    rb"""PRIVATE\ KEY-----
    | ["']?kty["']?\s*:\s*["']?oct\b                   # a key set whose keys are shared ones
    | ^[\s{["'-]*kind["']?\s*:\s*["']?Secret["']?[\s,}]*$
    | "kind"\s*:\s*"Secret"
    """,
    re.VERBOSE | re.MULTILINE,
)
_STDIN = "<stdin>"


class SecretFoundError(Exception):
    """An input holds what must not be handed on; the message says what, in lower case."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file that was read: as it is shown, as it is kept, and its bytes. `is_named`: no other file brought it in."""

    shown: str
    file: str
    content: bytes
    is_named: bool


def inputs_of(policy: Policy) -> tuple[Input, ...]:
    """Every file that was read, sorted by name; packs that were used too.

    Raises SecretFoundError: evidence goes to others, and holds all bytes of its inputs.
    """
    contents = {path: source.content for path, source in policy.sources.items()}
    manifests = {artifact.path: artifact.content for artifact in policy.manifests}
    contents |= manifests
    _refuse_secrets(policy, contents)
    top = _top(tuple(contents))
    return tuple(
        Input(shown, _file(shown, top, is_manifest=shown in manifests), contents[shown], shown not in policy.brought)
        for shown in sorted(contents)
    )


def _file(shown: str, top: tuple[str, ...], *, is_manifest: bool) -> str:
    """The name below the evidence; what came from stdin gets the suffix by which it is known again."""
    suffix = "" if shown != _STDIN else ".yaml" if is_manifest else ".mesh"
    return "/".join((FOLDER, *_kept(shown, top))) + suffix


def _refuse_secrets(policy: Policy, contents: dict[str, bytes]) -> None:
    if any(kind.partition(".")[0] == _REFUSED_KIND for kind, _ in policy.skipped):
        raise SecretFoundError("a Secret is among the manifests, and evidence holds every input as it is")
    for shown in sorted(contents):
        if _SECRET.search(contents[shown]):
            raise SecretFoundError(f"`{shown}` holds a secret, and evidence holds every input as it is")


def _top(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The folders below which the policy stands, so that what it uses from above it has a place too."""
    parts = [path.split("/") for path in paths]
    depth = max((sum(part == _UP for part in path) for path in parts), default=0)
    taken = {part for path in parts if _UP in path for part in path}
    name = "policy"
    while name in taken:
        name += "-"
    return (name,) * depth


def _kept(shown: str, top: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of the name of a shown path, each a plain one on every system. Different paths stay different."""
    parts = shown.split("/")
    ups = sum(part == _UP for part in parts)
    below = (part for part in parts if part not in {_UP, "", "."})
    return (*top[: len(top) - ups], *(_UNSAFE.sub(_escaped, part) for part in below))


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found.group().encode())
