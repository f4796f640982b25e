"""What the tests of the target share: a policy as text in, objects out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import yaml
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.target import CompileOptions
from meshproof.targets.istio import TARGET
from meshproof.targets.istio.lower import IstioLowered

DAY = date(2026, 11, 23)
SAFE = {"istio.path-normalization": "DECODE_AND_MERGE_SLASHES"}
Lower = Callable[..., IstioLowered]
Specs = Callable[..., dict[str, Any]]


def lowered(text: str, settings: dict[str, str] | None = None, *, has_mesh: bool = False) -> IstioLowered:
    options = CompileOptions(DAY, tuple((SAFE if settings is None else settings).items()), "hash")
    return TARGET.lower(mesh_of(text, has_mesh=has_mesh), options)


@pytest.fixture
def lower() -> Lower:
    """Lower a policy."""
    return lowered


@pytest.fixture
def codes() -> Callable[..., list[str]]:
    """The codes that lowering a policy finds, in order."""

    def run(text: str, settings: dict[str, str] | None = None, *, has_mesh: bool = False) -> list[str]:
        return [one.code for one in lowered(text, settings, has_mesh=has_mesh).diagnostics]

    return run


@pytest.fixture
def specs() -> Specs:
    """The specs of a kind in the emitted bytes of a policy without errors, by `NAMESPACE/NAME`, prefixes left out."""

    def run(kind: str, text: str, settings: dict[str, str] | None = None, *, has_mesh: bool = False) -> dict[str, Any]:
        found = lowered(text, settings, has_mesh=has_mesh)
        errors = [one.message for one in found.diagnostics if one.severity == "error"]
        assert not errors, errors
        documents = [
            document
            for one in TARGET.emit(found)
            if one.path.startswith("manifests/")
            for document in yaml.safe_load_all(one.content)
        ]
        return {
            f"{one['metadata']['namespace']}/{one['metadata']['name'].removeprefix('meshproof-')}": one["spec"]
            for one in documents
            if one["kind"] == kind
        }

    return run


@pytest.fixture
def rules(specs: Specs) -> Callable[..., Any]:
    """The rules of one AuthorizationPolicy."""

    def run(name: str, text: str, settings: dict[str, str] | None = None, *, has_mesh: bool = False) -> Any:  # noqa: ANN401
        found = specs("AuthorizationPolicy", text, settings, has_mesh=has_mesh)
        assert name in found, json.dumps(found, indent=1)
        return found[name]["rules"]

    return run
