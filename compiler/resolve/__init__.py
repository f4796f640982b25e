"""Names to things: from the trees of files to the IR, with every default and every sugar gone."""

from __future__ import annotations

from meshproof.compiler.resolve.on_mesh import resolve_claims, resolve_request, resolve_tests
from meshproof.compiler.resolve.overlay import is_overlay, resolve_overlay
from meshproof.compiler.resolve.policy import Resolution, resolve

__all__ = [
    "Resolution",
    "is_overlay",
    "resolve",
    "resolve_claims",
    "resolve_overlay",
    "resolve_request",
    "resolve_tests",
]
