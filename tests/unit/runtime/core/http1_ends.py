"""Both ends of a connection over HTTP/1.1 as data: what was written, what was told, and a clock that a test turns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from meshproof.runtime.core.http1_fields import Http1Limits
from meshproof.runtime.core.http1_responses import ResponseEvent, ResponseParser
from meshproof.runtime.core.http1_server import Http1Server, ServerRules, ServerTimes
from meshproof.runtime.core.messages import (
    Failure,
    Fields,
    RequestHead,
    RequestListener,
    ResponseHead,
    ServerStream,
)


@dataclass
class Wire:
    """A transport that keeps what is written. `states`: what else it was told, in order."""

    written: bytearray = field(default_factory=bytearray)
    writes: int = 0
    states: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return "close" in self.states or "abort" in self.states

    @property
    def is_reading(self) -> bool:
        told = [one for one in self.states if one in {"pause", "resume"}]
        return not told or told[-1] == "resume"

    def write(self, data: bytes) -> None:
        assert "end" not in self.states
        if not self.is_over:
            self.written += data
            self.writes += 1

    def pause_reading(self) -> None:
        self.states.append("pause")

    def resume_reading(self) -> None:
        self.states.append("resume")

    def end_writing(self) -> None:
        self.states.append("end")

    def close(self) -> None:
        self.states.append("close")

    def abort(self) -> None:
        self.states.append("abort")


@dataclass
class Asked:
    """One request as an exchange hears of it."""

    head: RequestHead
    stream: ServerStream
    body: bytes = b""
    trailers_told: Fields | None = None
    is_whole: bool = False
    failure: Failure | None = None
    holds: list[str] = field(default_factory=list)

    def data(self, payload: bytes, *, is_end: bool) -> None:
        assert not self.is_whole
        assert self.failure is None
        self.body += payload
        self.is_whole = is_end

    def trailers(self, fields: Fields) -> None:
        self.trailers_told = fields
        self.is_whole = True

    def reset(self, failure: Failure) -> None:
        assert self.failure is None
        self.failure = failure

    def pause_answer(self) -> None:
        self.holds.append("pause")

    def resume_answer(self) -> None:
        self.holds.append("resume")

    @property
    def meaning(self) -> tuple[object, ...]:
        """All that it says, in whatever pieces it came."""
        head = self.head
        fields = tuple(head.fields)
        trailers = tuple(self.trailers_told or ())
        return head.method, head.target, head.authority, fields, head.protocol, self.body, trailers, self.is_whole


@dataclass
class Answering:
    """A server codec whose exchanges are kept; each is answered as soon as it is whole, if `is_prompt`."""

    is_prompt: bool = True
    limits: Http1Limits = field(default_factory=Http1Limits)
    now: float = 1000.0
    wire: Wire = field(default_factory=Wire)
    faults: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        rules = ServerRules(lambda: self.now, self.faults.append, self.limits, ServerTimes())
        self.codec = Http1Server(self.wire, rules, self.open)

    def open(self, stream: ServerStream, head: RequestHead) -> RequestListener:
        found = Asked(head, stream, is_whole=head.is_end and not head.protocol)
        self.asked.append(found)
        return found

    def feed(self, data: bytes, step: int | None = None) -> Answering:
        """Bytes, in pieces of that size."""
        size = step or max(len(data), 1)
        for start in range(0, len(data), size):
            self.codec.receive(memoryview(data)[start : start + size])
            while self.is_prompt and self.asked and self._answers(self.asked[-1]):
                pass
        return self

    def wait(self, seconds: float) -> Answering:
        """Time passes, and the net looks at the deadline."""
        self.now += seconds
        if self.codec.deadline <= self.now:
            self.codec.expire()
        return self

    @property
    def statuses(self) -> list[int]:
        """Those that were written."""
        return [int(line[9:12]) for line in bytes(self.wire.written).split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]

    @property
    def meanings(self) -> list[tuple[object, ...]]:
        return [one.meaning for one in self.asked]

    def _answers(self, one: Asked) -> bool:
        if not one.is_whole or one.failure is not None or one.head.protocol:
            return False
        count = len(self.asked)
        if one.holds != ["answered"]:
            one.holds = ["answered"]
            one.stream.response(ResponseHead(200, [], 0, is_end=True))
        return len(self.asked) > count


def answered(parser: ResponseParser, data: bytes) -> list[ResponseEvent]:
    """As whoever asks reads it: in one go if it is plain, which is told as if it had not been."""
    head = parser.whole(data)
    if head is None:
        return parser.feed(data)
    return [replace(head, is_end=False, body=b""), head.body, None] if head.body else [head]
