"""What the commands of this project print about manifests, in the form in which answers of tools are compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.answers import Calls, NotUnderstood, Pair, passes

ENTRY = "meshproof.compiler.cli:main"
_DAY = ("--at", "2026-11-23")
_OPERATION = re.compile(r"(?P<methods>[A-Z|]+) (?:(?P<path>/\S*)|where (?P<where>.+))")
_TEST = re.compile(r'(?P<no>not )?path (?P<how>startswith|==) "(?P<path>[^"]+)"')
_NEEDLESS = re.compile(r"allow `shop/(?P<service>\w+)\[(?P<place>\d+)\]` adds nothing to ")


def graph(folder: Path) -> list[str]:
    """The arguments that ask who may call whom."""
    return ["graph", "--format", "json", *_DAY, str(folder)]


def diff(old: Path, new: Path) -> list[str]:
    """The arguments that ask what a change opens and closes; from a mesh that allows nothing, what is allowed."""
    return ["diff", "--output", "json", *_DAY, str(old), str(new)]


def check(folder: Path) -> list[str]:
    """The arguments of an audit, which says of rules that they can go, and much else."""
    return ["check", "--output", "json", *_DAY, str(folder)]


def linked(printed: str) -> set[Pair]:
    """Who may call whom."""
    links = json.loads(printed)["links"]
    found = {(_name(link["source"]), _name(link["destination"])) for link in links}
    return {(caller, service) for caller, service in found if caller != service}


def needless(printed: str) -> set[tuple[str, int]]:
    """The rules that can go, by service and place."""
    messages = (finding["message"] for finding in json.loads(printed)["findings"])
    found = (_NEEDLESS.match(message) for message in messages)
    return {(match["service"], int(match["place"])) for match in found if match}


def changes(printed: str) -> tuple[tuple[Calls, ...], tuple[Calls, ...]]:
    """The calls that are newly allowed, and those that are newly denied."""
    told = json.loads(printed)
    return tuple(_calls(told["newly_allowed"])), tuple(_calls(told["newly_denied"]))


def _calls(entries: Iterable[Any]) -> Iterator[Calls]:
    for entry in entries:
        region = entry["region"]
        if not set(region["conditions"]) <= {"as a request"}:
            raise NotUnderstood(region["text"])
        callers, services = (_names(region[side]) for side in ("sources", "destinations"))
        for operation in region["operations"]:
            found = _OPERATION.fullmatch(operation)
            if found is None:
                raise NotUnderstood(operation)
            has_path = partial(passes, found["path"]) if found["path"] else partial(_all_hold, found["where"])
            yield Calls(callers, services, frozenset(found["methods"].split("|")), has_path)


def _all_hold(where: str, path: str) -> bool:
    tests = [_TEST.fullmatch(text) for text in where.split(" and ")]
    return all(_holds(test, where, path) for test in tests)


def _holds(test: re.Match[str] | None, where: str, path: str) -> bool:
    if test is None:
        raise NotUnderstood(where)
    pattern = test["path"] + ("*" if test["how"] == "startswith" else "")
    return passes(pattern, path) is not bool(test["no"])


def _names(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(_name(text) for one in texts for text in one.split(", "))


def _name(text: str) -> str:
    """The service of `shop/s1`, `shop/s1:http` or `shop/s1 (other ports)`; raises NotUnderstood for other callers."""
    found = re.fullmatch(r"shop/(s\d+)(:\w+| \(other ports\))?", text)
    if found is None:
        raise NotUnderstood(text)
    return found[1]
