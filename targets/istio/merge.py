"""Fewer blocks that say the same: operations that differ in one list become one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from meshproof.targets.istio.model import Operation


def merged(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """The same requests with fewer blocks: first one block for equal methods, then one for equal paths."""
    return _by_methods(_by_paths(dict.fromkeys(operations)))


def _by_paths(operations: Iterable[Operation]) -> list[Operation]:
    """Blocks that are alike but for `paths`. No list is every path, and takes the others in."""
    found: dict[Operation, tuple[str, ...]] = {}
    for one in operations:
        key = replace(one, paths=())
        if key not in found:
            found[key] = one.paths
        elif found[key]:
            found[key] = tuple(dict.fromkeys((*found[key], *one.paths))) if one.paths else ()
    return [replace(key, paths=paths) for key, paths in found.items()]


def _by_methods(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Blocks that are alike but for `methods`, likewise."""
    found: dict[Operation, tuple[str, ...]] = {}
    for one in operations:
        key = replace(one, methods=())
        if key not in found:
            found[key] = one.methods
        elif found[key]:
            found[key] = tuple(dict.fromkeys((*found[key], *one.methods))) if one.methods else ()
    return tuple(replace(key, methods=methods) for key, methods in found.items())
