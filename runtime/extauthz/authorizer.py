"""The authorizer: what is answered to an Envoy that asks about a request (ADR 0187, 0261)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Token
from meshproof.runtime.bundle import Loaded
from meshproof.runtime.core.http1 import Head
from meshproof.runtime.engine.errors import EngineError
from meshproof.runtime.engine.facts import Headers, Incoming, Wire
from meshproof.runtime.extauthz.answer import Answer, decided, refused
from meshproof.runtime.extauthz.asked import Asked, asked_over_http
from meshproof.runtime.extauthz.check import Question, Uris
from meshproof.runtime.extauthz.client_cert import ForwardedError
from meshproof.runtime.extauthz.destinations import Destination, headers_read, unasked
from meshproof.runtime.extauthz.judged import Judged
from meshproof.runtime.tokens.verifier import Verifier

_HOST = re.compile(r"[A-Za-z0-9._~:\[\]%!$&'()*+;=-]+").fullmatch


@dataclass(frozen=True, slots=True)
class _Place:
    destination: Destination
    read: frozenset[str]
    verifier: Verifier | None


class Authorizer:
    """Answers by one policy. Raises `DestinationError` when made for a destination where it cannot be kept.

    `verifiers` are for the tokens of services, by their names. `tell` hears of each decision.
    `gaps` are sentences about rules that need another authorizer's answer: what they meet is refused.
    """

    def __init__(
        self,
        loaded: Loaded,
        destinations: tuple[Destination, ...],
        verifiers: Mapping[NodeName, Verifier] | None = None,
        tell: Callable[[Judged], None] | None = None,
    ) -> None:
        self.policy = loaded.bundle.policy
        self.gaps = unasked(loaded.bundle.mesh, destinations)
        self._engine = loaded.engine
        self._audits = loaded.audits
        self._tell = tell
        known = verifiers or {}
        places = tuple(
            _Place(
                one,
                headers_read(loaded.bundle.mesh, one, verifies_tokens=one.service in known),
                known.get(NodeName(one.service)),
            )
            for one in destinations
        )
        self._by_name = {place.destination.path_prefix: place for place in places}
        self._by_prefix = tuple((f"{name}/", place) for name, place in self._by_name.items())

    def answer(self, head: Head, day: date) -> Answer:
        """The answer over HTTP; 200 if and only if the policy lets the request through. It never raises."""
        for prefix, place in self._by_prefix:
            if head.target.startswith(prefix) and place.destination.verified_payload is None:
                try:
                    asked = asked_over_http(head, place.destination.path_prefix)
                except ForwardedError:
                    return refused("caller")
                return self._at(place, asked, day)
        return refused("destination")

    def check(self, question: Question, uris: Uris, day: date) -> Answer:
        """The answer over gRPC, by the same rules."""
        place = self._by_name.get(question.destination)
        if place is None:
            return refused("destination")
        try:
            asked = question.asked(uris, place.destination.verified_payload)
        except ForwardedError:
            return refused("caller")
        return self._at(place, asked, day)

    def _at(self, place: _Place, asked: Asked, day: date) -> Answer:
        destination = place.destination
        if asked.caller is None and not destination.takes_plaintext:
            return refused("caller")
        headers = tuple([line for line in asked.headers if line[0] in place.read])
        hosts = asked.hosts
        if len(hosts) != 1 or not _HOST(hosts[0]) or _are_ambiguous(headers, are_joined=asked.are_joined):
            return refused("ambiguous")
        incoming = Incoming(asked.method, asked.path, hosts[0], headers, _token(place, asked, headers))
        where = (NodeName(destination.service), destination.port)
        audited: tuple[str, ...] = ()
        try:
            decision = self._engine.connect(Wire(), asked.caller, where, day).decide(incoming)
            if self._audits is not None:
                audited = self._audits.connect(Wire(), asked.caller, where, day).decide(incoming).determined_by
        except EngineError:
            return refused("undecided")
        answer = decided(decision, audited)
        if self._tell is not None:
            self._tell(Judged(destination, asked, decision, answer.status, self.policy, audited))
        return answer


def _token(place: _Place, asked: Asked, headers: Headers) -> Token | None:
    if place.destination.verified_payload is not None:
        return None if asked.payload is None else Token(is_valid=True, claims=asked.payload)
    if place.verifier is None:
        return None
    lines = tuple((name.encode("utf-8"), value.encode("ascii")) for name, value in headers)
    return place.verifier.token(lines, asked.path.encode("utf-8"))


def _are_ambiguous(headers: Headers, *, are_joined: bool) -> bool:
    """Whether rules would read another value than the request had.

    An Envoy joins the lines of a header with commas before it asks, and a rule reads lines: of a comma nobody knows
    whether it was sent, unless the Envoy tells the lines as they are.
    """
    if any(not value.isascii() for _, value in headers):
        return True
    if not are_joined:
        return False
    names = [name for name, _ in headers]
    return len(set(names)) != len(names) or any("," in value for _, value in headers)
