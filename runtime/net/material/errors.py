"""What is given and not taken."""

from __future__ import annotations


class RefusedError(Exception):
    """It is not taken, and the last good one stays. The message is one lower-case sentence that says why."""
