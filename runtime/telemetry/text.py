"""What is told of a request in logs: never a query, never what stands behind a `;`, never more than fits."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from meshproof.compiler.ir.decision import Decision, Reason

MOST_PATH = 2048
_MILLIS = tuple(f".{millis:03d}Z" for millis in range(1000))
_PARAMETERS = re.compile(r";[^/]*")


def path_of(target: str) -> str:
    """The path as sent, without query and without parameters of segments: both may hold secrets (ADR 0252)."""
    path = target.partition("?")[0]
    if ";" in path:
        path = _PARAMETERS.sub(";", path)
    return path if len(path) <= MOST_PATH else path[:MOST_PATH]


def decision_word(decision: Decision) -> str:
    """`allow`, `deny`, or `observe` for a refusal that is let through."""
    if decision.is_observed:
        return "observe"
    return "allow" if decision.is_allowed else "deny"


def rule_names(decision: Decision) -> str:
    """The rules that decided, joined by commas; empty where none did."""
    return ",".join(decision.determined_by)


def audited_member(rules: tuple[str, ...]) -> str:
    """What logs say of audited rules that were met, after other members; nothing where none was."""
    return f',"audited":{json.dumps(rules, separators=(",", ":"))}' if rules else ""


def details(decision: Decision) -> str:
    """What Envoy would say of a refusal in `response_code_details`, in words that others already search for."""
    match decision.reason:
        case Reason.TOKEN:
            return "jwt_authn_access_denied"
        case Reason.PATH:
            return "path_normalization_failed"
        case Reason.ASK:
            return "ext_authz_denied"
        case Reason.TRANSPORT | Reason.RULE | Reason.DEFAULT:
            return f"rbac_access_denied_matched_policy[{rule_names(decision) or 'none'}]"


class Stamps:
    """Times as RFC 3339 has them, in UTC, to the millisecond, out of those of a monotonic clock."""

    __slots__ = ("_millis", "_offset", "_second", "_start", "_text")

    def __init__(self, wall: float, monotonic: float) -> None:
        self._second, self._start = -1, ""
        self._millis, self._text = -1, ""
        self._offset = wall - monotonic

    def set(self, wall: float, monotonic: float) -> None:
        """What both clocks say now: the wall clock may have been put right meanwhile."""
        self._offset = wall - monotonic

    def seconds(self, monotonic: float) -> float:
        """The seconds since 1970."""
        return monotonic + self._offset

    def text(self, monotonic: float) -> str:
        """The time."""
        millis = int((monotonic + self._offset) * 1000)
        if millis == self._millis:
            return self._text
        second = millis // 1000
        if second != self._second:
            self._second = second
            self._start = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        self._millis, self._text = millis, self._start + _MILLIS[millis - second * 1000]
        return self._text
