"""What keeps a service from starting."""

from __future__ import annotations


class StartError(Exception):
    """It cannot start, or cannot take something new. The message is one lower-case sentence."""
