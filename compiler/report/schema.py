"""The JSON Schemas of what Meshproof prints, as they are shipped."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_FOLDER = "schemas"


def schema_names() -> tuple[str, ...]:
    """The names of all schemas, such as `report-v1`, sorted."""
    folder = files(__package__) / _FOLDER
    return tuple(sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")))


@cache
def schema_text(name: str) -> str:
    """The text of a schema of `schema_names`."""
    return (files(__package__) / _FOLDER / f"{name}.json").read_text(encoding="utf-8")
