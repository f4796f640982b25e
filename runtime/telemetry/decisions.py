"""What is told of a decision: in metrics, in the access log, and in the decision log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted

from meshproof.compiler.ir.decision import Decision
from meshproof.runtime.core.messages import ConnectionRecord, Record
from meshproof.runtime.telemetry.text import Stamps, audited_member, decision_word, details, path_of, rule_names

MASKABLE = ("authority", "id", "method", "path", "source", "source_ip", "trace_id")
"""Members of a line of the decision log that may be masked: they are `null` then, and named under `erased`."""

_MOST_HEADER = 512
NEVER = frozenset(
    {b"authorization", b"cookie", b"proxy-authorization", b"set-cookie", b"x-api-key", b"x-amz-security-token"}
)
"""Headers that no log ever holds, whatever the settings say."""


@dataclass(frozen=True, slots=True)
class DecisionLogSettings:
    """What a line holds. `headers` (in lower case) are told, with those of `NEVER` left out; `masked` is not."""

    headers: tuple[bytes, ...] = ()
    masked: tuple[str, ...] = ()


class Told:
    """One decision in the words of logs; made once for each that a policy can come to."""

    __slots__ = ("decision", "details", "log", "members", "rule", "word")

    def __init__(self, decision: Decision, policy: str) -> None:
        self.decision = decision
        self.word = decision_word(decision)
        self.rule = decision.determined_by[0] if decision.determined_by else ""
        self.details = "null" if decision.is_allowed else quoted(details(decision))
        rules = rule_names(decision)
        said = f'"decision":"{self.word}","rule":{quoted(rules) if rules else "null"}'
        self.members = f'{said},"policy_hash":{quoted(policy)}'
        self.log = f'{said},"reason":"{decision.reason.value}","policy_hash":{quoted(policy)}'


class DecisionLines:
    """Makes lines of the decision log; what chains them comes later."""

    def __init__(self, settings: DecisionLogSettings) -> None:
        self._headers = tuple(name for name in settings.headers if name not in NEVER)
        self._masked = frozenset(settings.masked)
        erased = sorted(self._masked)
        self._erased = f',"erased":[{",".join(map(quoted, erased))}]' if erased else ""

    def request(self, record: Record, told: Told, stamps: Stamps) -> str:
        """The members of the line about a request, without the brace that ends them."""
        head, connection = record.head, record.connection
        members = (
            self._member("id", record.request_id),
            self._member("trace_id", record.trace_id),
            *self._ends(connection),
            self._member("method", head.method),
            self._member("authority", head.authority[:_MOST_HEADER]),
            self._member("path", path_of(head.target)),
        )
        headers = self._told(head.fields) if self._headers else ""
        return self._line(
            stamps.text(record.started),
            members,
            f'{headers},"status":{record.status},{told.log}{audited_member(record.audited)}',
        )

    def connection(self, connection: ConnectionRecord, told: Told, stamps: Stamps) -> str:
        """That about a connection over TCP."""
        return self._line(
            stamps.text(connection.opened), self._ends(connection), f",{told.log}{audited_member(connection.audited)}"
        )

    def _line(self, time: str, members: Sequence[str], more: str) -> str:
        return f'{{"time":"{time}",{",".join(members)}{more}{self._erased}'

    def _ends(self, connection: ConnectionRecord) -> tuple[str, ...]:
        return (
            self._member("source", connection.identity or ""),
            self._member("source_ip", connection.peer),
            f'"destination":{quoted(connection.service)},"port":{connection.port}',
        )

    def _member(self, name: str, value: str) -> str:
        return f'"{name}":{quoted(value) if value and name not in self._masked else "null"}'

    def _told(self, fields: Sequence[tuple[bytes, bytes]]) -> str:
        told = [
            f"[{quoted(name.decode('latin-1'))},{quoted(value[:_MOST_HEADER].decode('latin-1'))}]"
            for name, value in fields
            if name in self._headers
        ]
        return f',"headers":[{",".join(told)}]'
