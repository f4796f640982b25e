"""One route of a door, in the order of which the first that takes a request decides."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.targets.appmesh.lower.header_forms import HeaderForm, QueryForm
from meshproof.targets.appmesh.lower.path_forms import PathForm


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """What a route takes, and whether it lets it through. Without `path` it takes any, without `method` any.

    `subjects` are the rules that it comes from.
    """

    is_allowed: bool
    path: PathForm | None
    method: str | None = None
    headers: tuple[HeaderForm, ...] = ()
    queries: tuple[QueryForm, ...] = ()
    subjects: tuple[str, ...] = ()
