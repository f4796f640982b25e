"""Which targets and readers there are. They come in by entry point, so that the compiler never imports one."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import cast

from meshproof.compiler.backend.target import AnyTarget, Reader

GROUP = "meshproof.targets"
"""The entry point group of what is compiled for: `name = "package.module:TARGET"`."""

READERS = "meshproof.readers"
"""That of what is read, whoever wrote it: `name = "package.module:READER"`; often the same object."""


class UnknownTargetError(LookupError):
    """No installed target has the name; `known` are those that are installed."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no target is called `{name}`")
        self.name = name
        self.known = known


class BrokenTargetError(RuntimeError):
    """The package that provides a target cannot be loaded."""


def _points(group: str = GROUP) -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=group))}


def names() -> tuple[str, ...]:
    """The names of the installed targets, sorted. Loads none of them."""
    return tuple(sorted(_points()))


def reader_names() -> tuple[str, ...]:
    """The names of the installed readers, sorted. Loads none of them."""
    return tuple(sorted(_points(READERS)))


def load(name: str) -> AnyTarget:
    """The target of that name; importing its package happens here.

    Raises `UnknownTargetError`, or `BrokenTargetError` where the package is there but does not load.
    """
    return cast("AnyTarget", _loaded(_points(), name))


def load_reader(name: str) -> Reader:
    """The reader of that name; importing its package happens here.

    Raises `UnknownTargetError`, or `BrokenTargetError` where the package is there but does not load.
    """
    return cast("Reader", _loaded(_points(READERS), name))


def _loaded(points: dict[str, EntryPoint], name: str) -> object:
    point = points.get(name)
    if point is None:
        raise UnknownTargetError(name, tuple(sorted(points)))
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise BrokenTargetError(f"the target `{name}` ({point.value}) cannot be loaded: {error}") from error
