"""What the package announces is there, and what is there is announced."""

from __future__ import annotations

import tomllib
from importlib.metadata import entry_points
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def _declared(group: str) -> dict[str, str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = project["scripts"] if group == "console_scripts" else project["entry-points"][group]
    return dict(found)


def test_every_script_is_a_callable() -> None:
    declared = _declared("console_scripts")
    installed = {point.name: point for point in entry_points(group="console_scripts") if point.name in declared}

    assert set(installed) == set(declared) == {"meshproof", "meshproof-proxy"}
    assert all(callable(point.load()) for point in installed.values())


def test_every_target_is_an_entry_point_under_the_name_of_its_folder() -> None:
    folders = {path.parent.name for path in (PROJECT / "targets").glob("*/target.py")}
    declared = _declared("meshproof.targets")

    assert {place.split(":")[0].rsplit(".", 1)[-1] for place in declared.values()} == folders
    assert {point.name for point in entry_points(group="meshproof.targets")} == set(declared)


def test_every_target_loads_and_says_who_it_is() -> None:
    loaded = {point.name: point.load() for point in entry_points(group="meshproof.targets")}

    assert loaded
    assert {name: target.name for name, target in loaded.items()} == {name: name for name in loaded}
