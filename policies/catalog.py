"""The packs that ship with the product: policies in the language that ask for zones."""

from __future__ import annotations

import re
from importlib.resources import files

_SUFFIX = ".mesh"
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def pack_names() -> tuple[str, ...]:
    """The names of all packs that are shipped, sorted."""
    shipped = (files("meshproof.policies") / "packs").iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in shipped if file.name.endswith(_SUFFIX)))


def read_pack(name: str) -> str | None:
    """The text of the pack of that name; None if none is shipped."""
    if not _NAME.fullmatch(name):
        return None
    file = files("meshproof.policies") / "packs" / f"{name}{_SUFFIX}"
    return file.read_text(encoding="utf-8") if file.is_file() else None


def read_starter() -> str:
    """The text of the policy that a new one starts from."""
    return (files("meshproof.policies") / "starter" / "policy.mesh").read_text(encoding="utf-8")
