"""Names to things: from the trees of files to the IR, with every default and every sugar gone."""

from __future__ import annotations

from meshproof.compiler.resolve.policy import Resolution, resolve

__all__ = ["Resolution", "resolve"]
