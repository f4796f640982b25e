"""HTTP/1.1 on a connection that somebody made to us: requests one after another, however they arrive (ADR 0201)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from meshproof.runtime.core.codec import OpenExchange, Wire
from meshproof.runtime.core.http1 import Fault
from meshproof.runtime.core.http1_fields import Http1Limits
from meshproof.runtime.core.http1_requests import RequestEvent, RequestParser
from meshproof.runtime.core.http1_write import LAST_CHUNK, chunk, last_chunk, refusal_bytes, response_bytes
from meshproof.runtime.core.messages import Failure, Fields, RequestHead, RequestListener, ResponseHead

_OK, _SWITCHING, _NO_CONTENT, _NOT_MODIFIED = 200, 101, 204, 304
_MOST_DISCARDED = 65_536
"""What is read of a body that nobody wants, so that its connection is used again, or its client reads the answer."""


@dataclass(frozen=True, slots=True)
class ServerTimes:
    """How long a client may take, in seconds: for a head, for a whole request, without a byte in the middle of a
    message, between requests, and to take leave."""  # noqa: D205, D209

    head: float = 10.0
    request: float = 3600.0
    stall: float = 300.0
    idle: float = 3600.0
    leave: float = 2.0


@dataclass(frozen=True, slots=True)
class ServerRules:
    """What all connections of a listener keep to. `fault` is told of what peers do wrong."""

    clock: Callable[[], float]
    fault: Callable[[str], None]
    limits: Http1Limits = field(default_factory=Http1Limits)
    times: ServerTimes = field(default_factory=ServerTimes)


class Http1Server:
    """A server codec and, as there is one request at a time, its stream. While one is answered, others wait.

    `_is_asked`: all of the request was told. `_is_answered`: all of its answer was written. Another begins after both.
    """

    def __init__(self, wire: Wire, rules: ServerRules, opens: OpenExchange) -> None:
        self._wire = wire
        self._rules = rules
        self._times = rules.times
        self._clock = rules.clock
        self._open = opens
        self._parser = RequestParser(rules.limits)
        self._queue: deque[RequestEvent] = deque()
        self._listener: RequestListener | None = None
        self._head: RequestHead | None = None
        self._held = b""
        self._left: int | None = None
        self._is_asked = self._is_answered = True
        self._has_begun_answer = False
        self._is_tunnel = False
        self._is_last = False
        self._is_running = False
        self._is_paused = False
        self._is_reading = True
        self._is_over = False
        self._discarded = 0
        self._latest = inf
        self.deadline = self._clock() + rules.times.head

    # What the net calls.

    @property
    def is_idle(self) -> bool:
        """Whether no request is on its way."""
        return self._is_answered and self._is_asked and not self._queue and not self._parser.is_in_head

    def receive(self, data: memoryview | bytes) -> None:
        """Bytes of the client."""
        parser = self._parser
        if self._is_over:
            self._discarded += len(data)
            if self._discarded > _MOST_DISCARDED:
                self._wire.abort()
        elif parser.is_last and parser.is_ended:
            if self._head is not None and self._head.protocol:
                self._queue.append(bytes(data))
                self._run()
        elif self._is_asked and self._is_answered and not self._is_last and (head := parser.whole(data)) is not None:
            self._begin(head)
        else:
            was_in_head = parser.is_in_head
            events = parser.feed(data)
            if events:
                self._queue.extend(events)
                self._run()
            if parser.is_in_head and not was_in_head and self._is_answered and self._is_asked:
                self.deadline = self._clock() + self._times.head

    def eof(self) -> None:
        """The client sends no more. What it has asked is still answered."""
        if self._is_over:
            self._wire.close()
        elif self.is_idle:
            self._leave()
        elif self._is_tunnel:
            self._queue.append(None)
            self._run()
        elif not self._parser.is_ended:
            self._cut(Failure.CANCELLED)
        else:
            self._is_last = True

    def lost(self) -> None:
        """The connection has ended."""
        self._cut(Failure.CANCELLED)

    def pause_writing(self) -> None:
        """The client reads slowly."""
        self._latest = self.deadline
        self.deadline = self._clock() + self._times.stall
        if self._listener is not None:
            self._listener.pause_answer()

    def resume_writing(self) -> None:
        """It reads again."""
        self.deadline = self._clock() + self._times.idle if self._is_answered else inf
        if self._listener is not None:
            self._listener.resume_answer()

    def expire(self) -> None:
        """A time is over: what is not whole is refused, whoever does not read is cut off, and who is idle ends."""
        if self._is_over:
            self.deadline = inf
            self._wire.abort()
        elif self._is_answered and not self._parser.is_in_head:
            self._leave()
        elif self._is_answered or not (self._is_asked or self._has_begun_answer):
            self._refuse(Fault(408, "it does not end its request in time"), Failure.TIMEOUT)
        else:
            self._rules.fault("it does not take its answer in time")
            self._cut(Failure.TIMEOUT)

    def drain(self) -> None:
        """The answer on its way is the last one, or that to a head that has begun; without any, it ends."""
        if self._is_over:
            return
        self._is_last = True
        if self.is_idle:
            self._leave()
        elif self._is_answered and self._parser.is_in_head:
            self._is_asked = False  # what is last has not been asked yet

    # What an exchange calls.

    def response(self, head: ResponseHead) -> None:
        """The head of the answer."""
        asked = self._head
        assert asked is not None
        status = head.status
        if head.is_end and asked.is_end and not self._is_last and not self._parser.is_last:  # nearly always
            self._wire.write(response_bytes(head, is_last=False) + head.body)
            self._done()
            return
        if status >= _OK:
            if (self._parser.is_last or not self._is_asked) and self._is_the_last(asked):
                self._is_last = True
            is_bodiless = head.is_end or asked.method == "HEAD" or status in {_NO_CONTENT, _NOT_MODIFIED}
            self._left = 0 if is_bodiless else head.length
            self._has_begun_answer = True
        elif status == _SWITCHING:
            self._is_tunnel = self._is_last = self._has_begun_answer = True
            self._is_asked = False
            self.deadline = self._clock() + self._times.idle
        written = response_bytes(head, is_last=self._is_last and status >= _OK, protocol=asked.protocol) + head.body
        if head.is_followed:
            self._held = written
            return
        self._wire.write(written)
        if head.is_end and status >= _OK:
            self._done()
        elif self._is_tunnel:
            self._run()

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """A piece of its body. More or less of it than its head said is never written: the connection is cut."""
        left = self._left
        if self._is_tunnel:
            self.deadline = self._clock() + self._times.idle
        elif left is None:
            payload = chunk(payload) + LAST_CHUNK if is_end else chunk(payload)
        else:
            self._left = left = left - len(payload)
            if left < 0 or (is_end and left):
                self._short(left)
                return
        if self._held:
            payload = self._held + payload
            self._held = b""
        if payload:
            self._wire.write(payload)
        if is_end:
            self._done()

    def trailers(self, fields: Fields) -> None:
        """Its end, with trailers, which only chunks can carry."""
        if self._left is None and not self._is_tunnel:
            self._wire.write(self._held + last_chunk(fields))
            self._held = b""
            self._done()
        else:
            self.data(b"", is_end=True)

    def reset(self, failure: Failure) -> None:
        """Its end before its end: the client sees a connection that is cut."""
        del failure
        self._listener = None
        self._cut(Failure.CANCELLED)

    def pause(self) -> None:
        """Read no more of the request."""
        self._is_paused = True
        self._hold()

    def resume(self) -> None:
        """Read on."""
        self._is_paused = False
        self._run()

    # Inside.

    def _run(self) -> None:
        """Tell what has been read, as far as it may be told now."""
        if self._is_running:
            return
        self._is_running = True
        queue = self._queue
        while queue and not self._is_over:
            if self._is_answered:
                if self._is_last and self._is_asked:
                    break
            elif self._is_asked or self._is_paused:
                break
            event = queue.popleft()
            if isinstance(event, RequestHead):
                self._begin(event)
            else:
                self._tell(event)
        self._is_running = False
        if queue or not self._is_reading:
            self._hold()

    def _begin(self, head: RequestHead) -> None:
        self._head = head
        self._is_asked = head.is_end
        self._is_answered = self._has_begun_answer = self._is_paused = False
        if head.is_end:
            self.deadline = inf
        else:
            now = self._clock()
            self._latest = now + self._times.request
            self.deadline = min(self._latest, now + self._times.stall)
            head.is_followed = bool(self._queue)
        listener = self._open(self, head)
        if not self._is_answered:
            self._listener = listener

    def _tell(self, event: bytes | Fields | Fault | None) -> None:
        listener = self._listener
        if isinstance(event, Fault):
            self._refuse(event, Failure.PROTOCOL)
        elif isinstance(event, bytes):
            now = self._clock()
            self.deadline = now + self._times.idle if self._is_tunnel else min(self._latest, now + self._times.stall)
            if listener is not None:
                listener.data(event, is_end=False)
        else:
            self._is_asked = True
            self.deadline = inf if listener is not None else self._clock() + self._times.idle
            if listener is None:
                if self._is_last:  # it was answered before its end, and has drained since
                    self._leave()
                return
            if event is None:
                listener.data(b"", is_end=True)
            else:
                listener.trailers(event)

    def _hold(self) -> None:
        """Bytes are read unless there are parts that wait to be told."""
        is_reading = self._is_over or not (self._queue or (self._is_paused and not self._is_answered))
        if is_reading is not self._is_reading:
            self._is_reading = is_reading
            if is_reading:
                self._wire.resume_reading()
            else:
                self._wire.pause_reading()

    def _is_the_last(self, asked: RequestHead) -> bool:
        """Whether nothing can come after the answer: said so, or the rest of the request is not worth reading."""
        parser = self._parser
        if parser.is_last and not any(isinstance(event, (RequestHead, Fault)) for event in self._queue):
            return True
        if parser.is_ended or self._is_asked:
            return False
        is_expecting = any(name == b"expect" for name, _ in asked.fields)
        return asked.length is None or asked.length > _MOST_DISCARDED or is_expecting

    def _done(self) -> None:
        self._listener = None
        self._is_answered = True
        if self._is_last:
            self._leave()
            return
        if self._is_asked:
            self.deadline = self._clock() + (self._times.head if self._parser.is_in_head else self._times.idle)
        if self._queue or not self._is_reading:
            self._run()

    def _leave(self) -> None:
        """End after what was written. Whoever still sends is read for a while, or a reset would destroy the answer."""
        self._is_over = True
        self._queue.clear()
        if self._is_asked or self._is_tunnel:
            self.deadline = self._clock() + self._times.leave
            self._wire.close()
        else:
            self.deadline = self._clock() + self._times.leave
            self._wire.end_writing()
            self._hold()

    def _cut(self, failure: Failure) -> None:
        self._is_over = self._is_answered = True
        self._queue.clear()
        self.deadline = inf
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.reset(failure)
        self._wire.abort()

    def _short(self, left: int) -> None:
        self._rules.fault("an answer is longer than it says" if left < 0 else "an answer is shorter than it says")
        self._cut(Failure.CANCELLED)

    def _refuse(self, fault: Fault, failure: Failure) -> None:
        """The peer's fault: of a request that was told, its exchange hears of it; the client is told if it can be."""
        self._rules.fault(fault.what)
        if self._has_begun_answer and not self._is_answered:
            self._cut(failure)
            return
        listener, self._listener = self._listener, None
        self._is_answered = self._is_last = True
        self._wire.write(refusal_bytes(fault.status))
        if listener is not None:
            listener.reset(failure)
        self._is_asked = False
        self._leave()
