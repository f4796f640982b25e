"""Names that App Mesh takes, told in the narrower words of what holds its resources; each stays a name of its own."""

from __future__ import annotations

import re
from hashlib import sha256

_NO_LETTER = re.compile(r"[^A-Za-z0-9]+")
_NO_LABEL = re.compile(r"[^a-z0-9.-]+")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*").fullmatch
_MOST_LOGICAL, _MOST_LABEL, _MOST_VALUE = 255, 253, 63
_MARK = 8


def logical_name(kind: str, *names: str) -> str:
    """The name of a resource within a template: letters and digits, the same for the same names, another for others."""
    words = (word for name in names for word in _NO_LETTER.split(name) if word)
    readable = "".join(f"{word[0].upper()}{word[1:]}" for word in words)
    return f"{kind}{readable[: _MOST_LOGICAL - len(kind) - _MARK]}{_mark(names)}"


def object_name(name: str) -> str:
    """The name of an object of Kubernetes: the name itself if it may be one, else what is left of it with a mark."""
    if len(name) <= _MOST_LABEL and _LABEL(name):
        return name
    stem = _NO_LABEL.sub("-", name.lower()).replace("..", ".").strip("-.")[: _MOST_LABEL - _MARK - 1].strip("-.")
    labels = ".".join(one.strip("-") for one in stem.split(".") if one.strip("-"))
    return f"{labels}-{_mark((name,))}" if labels else _lettered(_mark((name,)))


def label_value(name: str) -> str:
    """The value of a label that stands for a name, the same for the same name; values have 63 characters at most."""
    return f"{object_name(name)[: _MOST_VALUE - _MARK - 1].strip('-.')}-{_mark((name,))}"


def _mark(names: tuple[str, ...]) -> str:
    return sha256("\0".join(names).encode()).hexdigest()[:_MARK]


def _lettered(mark: str) -> str:
    return f"x-{mark}"
