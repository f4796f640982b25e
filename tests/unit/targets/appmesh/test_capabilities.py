"""What is said of App Mesh, a line for every feature of the language."""

from __future__ import annotations

from meshproof.compiler.backend.features import Feature, Support
from meshproof.targets.appmesh.capabilities import CAPABILITIES


def test_every_feature_has_one_line() -> None:
    """In the order of the features; what is supported says by what."""
    assert [one.feature for one in CAPABILITIES] == list(Feature)
    assert all(one.by for one in CAPABILITIES if one.support is not Support.UNSUPPORTED)
