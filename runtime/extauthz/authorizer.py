"""The authorizer: what is answered to an Envoy that asks about a request (ADR 0187)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.bundle import Loaded
from meshproof.runtime.core.http1 import Head
from meshproof.runtime.engine.errors import EngineError
from meshproof.runtime.engine.facts import Incoming, Wire
from meshproof.runtime.extauthz.client_cert import HEADER, ForwardedError, caller
from meshproof.runtime.extauthz.destinations import Destination, headers_read

_HOST = re.compile(r"[A-Za-z0-9._~:\[\]%!$&'()*+;=-]+").fullmatch
_OK, _UNAUTHORIZED, _FORBIDDEN = 200, 401, 403


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered. `decision` is `allow`, `deny` or `observe` (refused, and let through because observed).

    `reason` is the step that decided, or why there was no decision: `destination`, `caller`, `ambiguous`, `undecided`.
    """

    status: int
    decision: str
    reason: str
    rules: tuple[str, ...] = ()


class Authorizer:
    """Answers by one policy. Raises `DestinationError` when made for a destination where it cannot be kept."""

    def __init__(self, loaded: Loaded, destinations: tuple[Destination, ...]) -> None:
        self.policy = loaded.bundle.policy
        self._engine = loaded.engine
        self._destinations = tuple(
            (f"{one.path_prefix}/", one, headers_read(loaded.bundle.mesh, one)) for one in destinations
        )

    def answer(self, head: Head, day: date) -> Answer:
        """The answer; 200 if and only if the policy lets the request through. It never raises."""
        for prefix, destination, read in self._destinations:
            if head.target.startswith(prefix):
                return self._at(destination, read, head, day)
        return _refused("destination")

    def _at(self, destination: Destination, read: frozenset[str], head: Head, day: date) -> Answer:
        forwarded = head.values(HEADER)
        try:
            identity = _caller(forwarded, takes_plaintext=destination.takes_plaintext)
        except ForwardedError:
            return _refused("caller")
        headers = tuple((name, value) for name, value in head.headers if name in read)
        host = head.values("host")
        if len(host) != 1 or not _HOST(host[0]) or _is_ambiguous(headers):
            return _refused("ambiguous")
        incoming = Incoming(head.method, head.target[len(destination.path_prefix) :], host[0], headers)
        place = (NodeName(destination.service), destination.port)
        try:
            return _answer(self._engine.connect(Wire(), identity, place, day).decide(incoming))
        except EngineError:
            return _refused("undecided")


def _caller(forwarded: tuple[str, ...], *, takes_plaintext: bool) -> str | None:
    if not forwarded and takes_plaintext:
        return None
    if len(forwarded) != 1:
        raise ForwardedError("it is there once")
    return caller(forwarded[0])


def _is_ambiguous(headers: tuple[tuple[str, str], ...]) -> bool:
    """Whether rules would read another value than the request had.

    An Envoy joins the lines of a header with commas before it asks, and a rule reads lines: of a comma nobody knows
    whether it was sent.
    """
    names = [name for name, _ in headers]
    return len(set(names)) != len(names) or any("," in value or not value.isascii() for _, value in headers)


def _answer(decision: Decision) -> Answer:
    rules = tuple(str(rule) for rule in decision.determined_by)
    if decision.is_observed:
        return Answer(_OK, "observe", decision.reason, rules)
    if decision.is_allowed:
        return Answer(_OK, "allow", decision.reason, rules)
    return Answer(_UNAUTHORIZED if decision.reason is Reason.TOKEN else _FORBIDDEN, "deny", decision.reason, rules)


def _refused(reason: str) -> Answer:
    """A refusal without a decision. Never a status of 500 and above, which an Envoy may be told to let through."""
    return Answer(_FORBIDDEN, "deny", reason)
