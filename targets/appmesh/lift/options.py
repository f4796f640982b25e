"""What files of App Mesh do not say, and whoever reads them does: by `--option app-mesh.KEY=VALUE`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

PREFIX = "app-mesh."
PARAMETER = f"{PREFIX}parameter."
MESH = f"{PREFIX}mesh"


class BadOptionError(ValueError):
    """An option is not known."""


@dataclass(frozen=True, slots=True)
class Options:
    """`mesh` is the mesh that is meant, if there are several; `parameters` are those of templates."""

    mesh: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


def read_options(settings: Iterable[tuple[str, str]]) -> Options:
    """The options among all. Raises `BadOptionError`."""
    own = [(key, value) for key, value in settings if key.startswith(PREFIX)]
    parameters = {key.removeprefix(PARAMETER): value for key, value in own if key.startswith(PARAMETER)}
    unknown = next(_unknown(key for key, _ in own), None)
    if unknown is not None:
        raise BadOptionError(f"App Mesh has no option `{unknown}`")
    return Options(dict(own).get(MESH), parameters)


def _unknown(keys: Iterable[str]) -> Iterator[str]:
    yield from (key for key in keys if key != MESH and not key.startswith(PARAMETER))
