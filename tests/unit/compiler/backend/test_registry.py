"""Targets come in by entry point."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from meshproof.compiler.backend import registry
from meshproof.compiler.backend.registry import GROUP, BrokenTargetError, UnknownTargetError, load, names


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {
        "istio": EntryPoint("istio", "meshproof.targets.istio:TARGET", GROUP),
        "gone": EntryPoint("gone", "meshproof.targets.absent:TARGET", GROUP),
        "bare": EntryPoint("bare", "meshproof.targets.common:TARGET", GROUP),
    }
    monkeypatch.setattr(registry, "_points", lambda: points)


@pytest.mark.usefixtures("_installed")
def test_names_are_sorted_and_load_gives_the_target() -> None:
    assert names() == ("bare", "gone", "istio")
    assert load("istio").name == "istio"


@pytest.mark.usefixtures("_installed")
def test_an_unknown_name_tells_the_known_ones() -> None:
    with pytest.raises(UnknownTargetError) as caught:
        load("linkerd")
    assert caught.value.known == ("bare", "gone", "istio")


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("name", ["gone", "bare"])
def test_a_target_that_does_not_load_says_so(name: str) -> None:
    with pytest.raises(BrokenTargetError, match=f"`{name}`"):
        load(name)


def test_installed_targets_are_found() -> None:
    for name in names():
        assert load(name).capabilities
