"""Proofs and findings over whole policies: every claim proved, refuted with a request that replays, or unknown."""

from meshproof.compiler.verify.analysis import Analysis, AnalysisOptions, ScopeKey
from meshproof.compiler.verify.anomalies import AnomalyKind, RuleAnomaly, rule_anomalies
from meshproof.compiler.verify.breadth import Breadth, breadth_of, rule_breadths
from meshproof.compiler.verify.claim_result import ClaimResult
from meshproof.compiler.verify.conflicts import Conflict, ConflictKind, conflicts, overlap
from meshproof.compiler.verify.contradiction import contradiction
from meshproof.compiler.verify.exposure import Exposed, plaintext_reachable
from meshproof.compiler.verify.hazards import Hazard, HazardKind, hazards, rule_hazards
from meshproof.compiler.verify.host_trust import HostTrust, host_trusts
from meshproof.compiler.verify.invariants import check_claim
from meshproof.compiler.verify.per_rule import PerRule, UndecidedRule, per_rule
from meshproof.compiler.verify.routing import (
    Refused,
    UnreachableBranch,
    Unrouted,
    allowed_not_routed,
    routed_not_allowed,
    unreachable_branches,
    unrouted,
)
from meshproof.compiler.verify.scope import Scope
from meshproof.compiler.verify.second_opinion import CrossCheck, OpinionsDisagree, cross_check
from meshproof.compiler.verify.slash_escapes import SlashEscape, slash_escapes
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
    "AnomalyKind",
    "Answer",
    "Breadth",
    "ClaimResult",
    "Conflict",
    "ConflictKind",
    "CrossCheck",
    "Empty",
    "Example",
    "Exposed",
    "Hazard",
    "HazardKind",
    "Hop",
    "HopKind",
    "HostTrust",
    "OpinionsDisagree",
    "PerRule",
    "Premise",
    "PremiseKind",
    "Proved",
    "Refused",
    "Refuted",
    "ReplayDisagrees",
    "RuleAnomaly",
    "Scope",
    "ScopeKey",
    "SlashEscape",
    "UndecidedRule",
    "Unknown",
    "UnreachableBranch",
    "Unrouted",
    "Verdict",
    "Witness",
    "allowed_not_routed",
    "breadth_of",
    "check_claim",
    "conflicts",
    "contradiction",
    "cross_check",
    "hazards",
    "host_trusts",
    "overlap",
    "per_rule",
    "plaintext_reachable",
    "routed_not_allowed",
    "rule_anomalies",
    "rule_breadths",
    "rule_hazards",
    "slash_escapes",
    "unreachable_branches",
    "unrouted",
]
