"""Texts of templates of which a part is known to a deployed stack alone."""

from __future__ import annotations

UNKNOWN = "${"
"""How such a part begins where functions were worked out."""


def is_settled(text: str) -> bool:
    """Whether the text is known whole."""
    return UNKNOWN not in text
