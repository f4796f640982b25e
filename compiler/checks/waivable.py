"""What a waiver can accept."""

from __future__ import annotations

NEVER_WAIVED = ("MP0", "MP1", "MP2", "MP7", "MP309", "MP310", "MP311", "MP312", "MP403", "MP404")
"""What a policy means, what a target can say, and the rules about exceptions themselves are no matter of taste.

Nor are versions that do not exist and shares that no mesh takes: what came of them could not be compiled.
"""


def is_waivable(code: str) -> bool:
    """Whether a finding of that code can be accepted by name."""
    return not code.startswith(NEVER_WAIVED)
