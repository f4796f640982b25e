"""What a waiver can accept."""

from __future__ import annotations

NEVER_HIDDEN = ("MP0", "MP1", "MP2", "MP7", "MP403", "MP404")
"""What keeps a policy from being judged or compiled: no setting hides an error of these."""

NEVER_WAIVED = (
    *("MP0", "MP1", "MP2", "MP70", "MP711", "MP712", "MP403", "MP404"),
    *("MP309", "MP310", "MP311", "MP312"),
)
"""What a policy means, what a target can say, and the rules about exceptions themselves are no matter of taste.

What is noticed about objects of others (MP713 to MP722, and MP724) can be accepted: they stand as they are.
Nor are versions that do not exist and shares that no mesh takes: what came of them could not be compiled.
"""


def is_waivable(code: str) -> bool:
    """Whether a finding of that code can be accepted by name."""
    return not code.startswith(NEVER_WAIVED)
