"""Fewer routes that say the same: App Mesh has ten for a gateway, unless an account has more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from meshproof.targets.appmesh.lower.path_forms import MOST, PathForm
from meshproof.targets.appmesh.lower.route_match import RouteMatch


def merged(routes: Iterable[RouteMatch]) -> tuple[RouteMatch, ...]:
    """The routes with those made one that differ in the path alone, among neighbours that decide the same.

    Refusals behind the last route that lets through are left out: what no route takes is refused as well.
    """
    found: list[RouteMatch] = []
    for _, run in groupby(routes, key=lambda route: route.is_allowed):
        found += _of_run(tuple(run))
    while found and not found[-1].is_allowed:
        found.pop()
    return tuple(found)


def _of_run(run: tuple[RouteMatch, ...]) -> list[RouteMatch]:
    """Order says nothing among routes that decide the same."""
    alike: dict[RouteMatch, list[RouteMatch]] = {}
    for route in run:
        alike.setdefault(replace(route, path=None, subjects=()), []).append(route)
    return [one for key, routes in alike.items() for one in _of_alike(key, routes)]


def _of_alike(key: RouteMatch, routes: list[RouteMatch]) -> list[RouteMatch]:
    subjects = tuple(dict.fromkeys(subject for route in routes for subject in route.subjects))
    paths = tuple(dict.fromkeys(route.path for route in routes))
    if None in paths:
        return [replace(key, subjects=subjects)]
    found: list[RouteMatch] = []
    for path in paths:
        if path is None:
            continue
        own = tuple(dict.fromkeys(one for route in routes if route.path == path for one in route.subjects))
        last = found[-1] if found else None
        both = None if last is None or last.path is None else _either(last.path, path)
        if last is None or both is None:
            found.append(replace(key, path=path, subjects=own))
        else:
            found[-1] = replace(last, path=both, subjects=tuple(dict.fromkeys((*last.subjects, *own))))
    return found


def _either(one: PathForm, other: PathForm) -> PathForm | None:
    """The form that takes what either takes, None if it would be too long."""
    text = f"{one.alternation}|{other.alternation}"
    return PathForm(text, is_alternation=True) if len(text) <= MOST else None
