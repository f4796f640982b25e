"""Answers of two tools in one form, so that they can be compared: sets of calls, and pairs of caller and service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from benchmarks.istio_services import Service

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")

Call = tuple[str, str, str, str]
Pair = tuple[str, str]


class NotUnderstood(ValueError):  # noqa: N818  it says what happened
    """An answer has a form that the benchmark does not read: neither the same nor different."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls from any of the callers to any of the services, with one of the methods (None: any) and such a path."""

    callers: frozenset[str]
    services: frozenset[str]
    methods: frozenset[str] | None
    has_path: Callable[[str], bool]


def calls(answer: Iterable[Calls], probes: dict[str, tuple[str, ...]]) -> set[Call]:
    """The calls of an answer, with the methods of the policies and one more, and the paths that tell rules apart.

    Nobody is asked about calls to itself, which some tools take to be always there.
    """
    return set(_calls(answer, probes))


def pairs(of: Iterable[Call]) -> set[Pair]:
    """Who calls whom."""
    return {(caller, service) for caller, service, _, _ in of}


def probes(*versions: Iterable[Service]) -> dict[str, tuple[str, ...]]:
    """For each service the paths of its rules, and for those with `*` one below and one that only looks like it."""
    found: dict[str, dict[str, None]] = {}
    for version in versions:
        for service in version:
            chosen = found.setdefault(service.name, {"/": None, "/other": None})
            for rule in service.rules:
                path = rule.path
                chosen.update(dict.fromkeys((path + "x",) if path[-1] != "*" else (path[:-1] + "x", path[:-2] + "x")))
                chosen[path.rstrip("*")] = None
    return {service: tuple(paths) for service, paths in found.items()}


def passes(pattern: str, path: str) -> bool:
    """Whether a path is the one of a rule or, if that ends in `*`, below it."""
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def _calls(answer: Iterable[Calls], probes: dict[str, tuple[str, ...]]) -> Iterator[Call]:
    for one in answer:
        methods = METHODS if one.methods is None else tuple(method for method in METHODS if method in one.methods)
        for service in one.services:
            paths = [path for path in probes[service] if one.has_path(path)]
            for caller in one.callers - {service}:
                yield from ((caller, service, method, path) for method in methods for path in paths)
