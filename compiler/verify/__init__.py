"""Proofs and findings over whole policies: every claim proved, refuted with a request that replays, or unknown."""

from meshproof.compiler.verify.analysis import Analysis, AnalysisOptions, ScopeKey
from meshproof.compiler.verify.claim_result import ClaimResult
from meshproof.compiler.verify.invariants import check_claim
from meshproof.compiler.verify.scope import Scope
from meshproof.compiler.verify.verdict import (
    Answer,
    Empty,
    Example,
    Premise,
    PremiseKind,
    Proved,
    Refuted,
    Unknown,
    Verdict,
)
from meshproof.compiler.verify.witness import Hop, HopKind, ReplayDisagrees, Witness

__all__ = [
    "Analysis",
    "AnalysisOptions",
    "Answer",
    "ClaimResult",
    "Empty",
    "Example",
    "Hop",
    "HopKind",
    "Premise",
    "PremiseKind",
    "Proved",
    "Refuted",
    "ReplayDisagrees",
    "Scope",
    "ScopeKey",
    "Unknown",
    "Verdict",
    "Witness",
    "check_claim",
]
