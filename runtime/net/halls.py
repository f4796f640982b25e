"""What connections of a listener share: the authorizer's, and that of the probes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from meshproof.runtime.core.http1 import Fault, Head
from meshproof.runtime.extauthz.answer import Answer
from meshproof.runtime.extauthz.authorizer import Authorizer
from meshproof.runtime.extauthz.responses import answer_bytes, health_bytes
from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.protocol import AskingConnection
from meshproof.runtime.net.room import Room
from meshproof.runtime.settings import Limits, TlsSettings

_UNDECIDED = frozenset({"destination", "caller", "ambiguous", "undecided"})


class AskingHall:
    """Answers by `authorizer`, which may be swapped between two requests."""

    def __init__(
        self,
        authorizer: Authorizer,
        limits: Limits,
        tls: TlsSettings | None,
        journal: Journal,
        today: Callable[[], date],
    ) -> None:
        self.authorizer = authorizer
        self.limits = limits
        self.connections: Room[AskingConnection] = Room()
        self.is_draining = False
        self._tls = tls
        self._journal = journal
        self._today = today

    def may_ask(self, certificate: object) -> bool:
        """Whoever comes, without TLS; else one URI, of those that are listed where some are."""
        if self._tls is None:
            return True
        return self._tls.takes(_uris(certificate))

    def respond(self, head: Head) -> tuple[bytes, bool]:
        """The decision."""
        authorizer = self.authorizer
        answer = authorizer.answer(head, self._today())
        self.note(answer)
        is_last = head.is_last or self.is_draining
        return answer_bytes(answer, authorizer.policy, is_last=is_last), is_last

    def note(self, answer: Answer) -> None:
        """Tell that there was no decision, if there was none."""
        if answer.reason in _UNDECIDED:
            self._journal.fault(f"no decision: {answer.reason}")

    def fault(self, fault: Fault) -> None:
        """Tell it."""
        self._journal.fault(fault.what)


class HealthHall:
    """`/healthz`: it runs. `/readyz`: it takes connections. Nothing else is told here."""

    def __init__(self, hall: AskingHall) -> None:
        self.limits = Limits(head_bytes=4096, headers=64, connections=32, head_seconds=5, idle_seconds=5)
        self.connections: Room[AskingConnection] = Room()
        self.is_draining = False
        self._hall = hall

    def may_ask(self, certificate: object) -> bool:
        """Anybody."""
        del certificate
        return True

    def respond(self, head: Head) -> tuple[bytes, bool]:
        """How it is."""
        if head.method != "GET" or head.target not in {"/healthz", "/readyz"}:
            return health_bytes(404, "unknown"), True
        if head.target == "/readyz" and self._hall.is_draining:
            return health_bytes(503, "draining"), True
        return health_bytes(200, "ok"), True

    def fault(self, fault: Fault) -> None:
        """Probes that are broken are not worth a line."""


def _uris(certificate: object) -> tuple[str, ...]:
    names = certificate.get("subjectAltName", ()) if isinstance(certificate, dict) else ()
    return tuple(value for kind, value in names if kind == "URI")
