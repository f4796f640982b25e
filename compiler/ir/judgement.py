"""What a policy must be kept by: the proxies of servers alone, or those of callers too."""

from __future__ import annotations

from enum import StrEnum


class Judgement(StrEnum):
    """Who keeps what is said to hold. What is cooperative is never called enforced."""

    ENFORCED = "enforced"
    """Whoever takes a request: it holds whatever callers do."""
    COOPERATIVE = "cooperative"
    """Callers' own proxies too: it holds as long as those are honest, and a caller who steps round its own is free."""
