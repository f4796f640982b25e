"""The locks: hashes for every version, no address of an index, each set within the larger one and within the ranges."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LOCKS = ("plain", "build", "dev", "oracles")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def _text(lock: str) -> str:
    return (PROJECT / f"requirements/{lock}.lock").read_text(encoding="utf-8")


def _pinned(lock: str) -> dict[str, str]:
    return dict(PINNED.findall(_text(lock)))


def _normal(requirement: str) -> str:
    return re.split(r"[<>=!~ ;\[]", requirement, maxsplit=1)[0].lower().replace("_", "-")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_version_has_a_hash_and_nothing_says_where_to_get_it(lock: str) -> None:
    entries = re.split(r"^(?=[A-Za-z0-9])", _text(lock), flags=re.MULTILINE)[1:]

    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links|file:", _text(lock)) == []


@pytest.mark.parametrize(("smaller", "larger"), [*pairwise(("plain", "dev", "oracles")), ("build", "dev")])
def test_a_smaller_set_is_part_of_the_larger(smaller: str, larger: str) -> None:
    assert set(_pinned(smaller).items()) - set(_pinned(larger).items()) == set()


def test_what_the_project_asks_for_is_locked() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]

    assert {_normal(line) for line in project["dependencies"]} <= set(_pinned("plain"))
    assert {_normal(line) for line in extras["dev"]} <= set(_pinned("dev"))
    assert {_normal(line) for line in extras["oracles"]} <= set(_pinned("oracles"))
    assert {_normal(line) for line in extras["oracles"]} & set(_pinned("dev")) == set()


def test_what_builds_the_package_is_asked_for_in_one_range() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = (PROJECT / "requirements/build.in").read_text(encoding="utf-8").splitlines()[-1]

    assert project["build-system"]["requires"] == [asked]
    assert asked in project["project"]["optional-dependencies"]["dev"]
