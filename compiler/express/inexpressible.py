"""What the language has no words for."""

from __future__ import annotations


class InexpressibleError(Exception):
    """Something cannot be said in the language; `reason` completes "…, which the language cannot say"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
