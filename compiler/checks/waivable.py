"""What a waiver can accept."""

from __future__ import annotations

NEVER_HIDDEN = ("MP0", "MP1", "MP2", "MP7", "MP403", "MP404")
"""What keeps a policy from being judged or compiled: no setting hides an error of these."""

NEVER_WAIVED = (*NEVER_HIDDEN, "MP309", "MP310", "MP311", "MP312")
"""What a policy means, what a target can say, and the rules about exceptions themselves are no matter of taste.

Nor are versions that do not exist and shares that no mesh takes: what came of them could not be compiled.
"""


def is_waivable(code: str) -> bool:
    """Whether a finding of that code can be accepted by name."""
    return not code.startswith(NEVER_WAIVED)
