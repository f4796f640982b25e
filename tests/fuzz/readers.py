"""Everything that reads bytes of others, as functions of bytes: they return, or what they raise is a defect.

Each also holds what its reader promises: the same in pieces as at once, and a refusal of its own kind or a value.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tests.strategies.telling import connection, record
from tests.unit.runtime.core.http1_ends import Answering, answered
from tests.unit.runtime.core.http2.ends import GET, POST, Asking, Serving
from tests.unit.runtime.core.test_http1_client import Asking as AskingHttp1
from tests.unit.runtime.net.material.given_files import bundle

from meshproof.compiler.ir.decision import Decision
from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.bundle import BundleError, load_bundle
from meshproof.runtime.core.http1 import Fault
from meshproof.runtime.core.http1_fields import Http1Limits
from meshproof.runtime.core.http1_requests import RequestEvent, RequestParser
from meshproof.runtime.core.http1_responses import ResponseEvent, ResponseParser
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.messages import Failure, RequestHead, ResponseHead
from meshproof.runtime.core.tracing.context import Format
from meshproof.runtime.core.tracing.ids import Ids
from meshproof.runtime.core.tracing.tracer import HopTracer, TraceSettings
from meshproof.runtime.engine.errors import EngineError
from meshproof.runtime.engine.facts import Incoming, Wire
from meshproof.runtime.extauthz.check import CheckError, Question
from meshproof.runtime.extauthz.client_cert import ForwardedError
from meshproof.runtime.identity import pem
from meshproof.runtime.identity.errors import IdentityError
from meshproof.runtime.settings_run_file import parse_run_settings
from meshproof.runtime.tables import SettingError
from meshproof.runtime.telemetry.verify_log import Broken, Whole, verify
from meshproof.runtime.tokens.compact import FormError, unverified
from meshproof.runtime.tokens.keys import KeysError, key_set

_LIMITS = Http1Limits(head_bytes=2048, headers=32, body_bytes=4096)
_FRAMES = Http2Limits(streams=3, headers=20, body_bytes=50_000)
_DAY = date(2026, 11, 23)
_FRONT = "spiffe://shop.example/ns/shop/sa/front"
_ENGINE = load_bundle(bundle()).engine
_TRACER = HopTracer(TraceSettings(write=tuple(Format), ratio=0.5, is_recorded=True), Ids(lambda n: b"\x5a" * n), float)


def _joined(events: list[RequestEvent] | list[ResponseEvent]) -> list[object]:
    """Bodies whole, because how they are cut is no matter of what was sent. Of two faults either may be found first."""
    found: list[object] = []
    for event in events:
        assert not isinstance(event, Fault) or 400 <= event.status < 600
        if isinstance(event, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += event
        else:
            found.append(Fault if isinstance(event, Fault) else event)
    return found


def _asked_in(events: list[RequestEvent]) -> list[object]:
    """What was asked; bytes after a head that asks for another protocol are no part of it."""
    for place, event in enumerate(events):
        if isinstance(event, RequestHead) and event.protocol:
            return _joined(events[: place + 1])
    return _joined(events)


def requests(data: bytes) -> None:
    """Requests of HTTP/1.1."""
    whole, pieces = RequestParser(_LIMITS), RequestParser(_LIMITS)
    at_once = _asked_in(whole.feed(data))
    one_by_one = _asked_in([event for at in range(len(data)) for event in pieces.feed(data[at : at + 1])])
    if len(data) <= _LIMITS.head_bytes:  # beyond, what is too large shows earlier in pieces
        assert at_once == one_by_one
    for event in at_once:
        if isinstance(event, RequestHead):
            assert event.target.isascii()
            assert event.target[:1] in {"/", "*"}
            assert event.authority
        assert not isinstance(event, Fault) or 400 <= event.status < 600


def responses(data: bytes) -> None:
    """Responses of HTTP/1.1, to a GET, to a HEAD and to a request for another protocol."""
    for is_head, protocol in ((False, ""), (True, ""), (False, "websocket")):
        told: list[list[object]] = []
        for step in (len(data) or 1, 1):
            parser = ResponseParser(_LIMITS)
            parser.expect(is_head=is_head, protocol=protocol)
            events = [event for at in range(0, len(data), step) for event in answered(parser, data[at : at + step])]
            told.append(_joined([*events, *parser.eof()]))
        if len(data) <= _LIMITS.head_bytes:
            assert told[0] == told[1]
        finals = [one for one in told[0] if isinstance(one, ResponseHead) and one.status >= 200]
        assert len(finals) <= 1
        assert not finals or told[0][-1] is None or isinstance(told[0][-1], ResponseHead | Failure | list | bytes)


def exchanges_of_a_client(data: bytes) -> None:
    """A connection of HTTP/1.1 that somebody made to us, each request answered as soon as it is whole."""
    whole, pieces = Answering(limits=_LIMITS).feed(data), Answering(limits=_LIMITS).feed(data, 1)
    if len(data) <= _LIMITS.head_bytes:
        of_whole, of_pieces = ([one == 200 for one in end.statuses] for end in (whole, pieces))
        assert of_whole == of_pieces  # of two faults either may be found first
        assert whole.meanings == pieces.meanings
    for end in (whole, pieces):
        for _ in range(3):
            end.wait(5_000)
        is_awaited = bool(end.asked and end.asked[-1].head.protocol and end.asked[-1].failure is None)
        assert end.wire.is_over or is_awaited  # whoever says nothing more does not stay for ever
        end.codec.eof()
        end.codec.lost()
        assert all(one.is_whole or one.failure is not None for one in end.asked)


def exchanges_of_a_server(data: bytes) -> None:
    """A connection of HTTP/1.1 that we made, with one request on it."""
    for method, protocol in (("GET", ""), ("HEAD", ""), ("GET", "websocket")):
        whole, pieces = AskingHttp1().ask(method, protocol=protocol), AskingHttp1().ask(method, protocol=protocol)
        whole.feed(data).codec.eof()
        pieces.feed(data, 1).codec.eof()
        assert whole.told == pieces.told
        finals = [one for one in whole.told if one[0] == "response" and one[1] in range(200, 1000)]
        assert len(finals) <= 1
        for end in (whole, pieces):
            end.codec.lost()
            assert end.wire.is_over
            assert end.told[-1][0] in {"end", "trailers", "reset"}


def frames_of_a_client(data: bytes) -> None:
    """What a server of HTTP/2 is sent; the preface is right in half of them."""
    _same(*(_served(data, step) for step in (0, 1 if len(data) < 512 else 97)))


def frames_of_a_server(data: bytes) -> None:
    """What a client of HTTP/2 is sent."""
    _same(*(_asked(data, step) for step in (0, 1 if len(data) < 512 else 97)))


def _served(data: bytes, step: int) -> Serving:
    serving = Serving(_FRAMES, is_open=False)
    serving.feed(data, step)
    return serving


def _asked(data: bytes, step: int) -> Asking:
    asking = Asking(_FRAMES, is_open=False)
    for head in (POST, GET):
        asking.ask(RequestHead(head.method, head.target, head.authority, [], head.length, head.is_end))
    asking.feed(data, step)
    return asking


def _same(whole: Serving | Asking, parts: Serving | Asking) -> None:
    assert bytes(whole.wire.written) == bytes(parts.wire.written)
    assert whole.turn.faults == parts.turn.faults
    assert [taker.body for taker in whole.takers] == [taker.body for taker in parts.takers]
    for end in (whole, parts):
        end.codec.lost()
        end.turn.run()
        assert end.codec.is_idle


def bundles(data: bytes) -> None:
    """The bundle of a policy."""
    try:
        assert load_bundle(data).bundle.policy
    except BundleError as error:
        assert str(error)  # noqa: PT017  either is right


def decisions(data: bytes) -> None:
    """What rules read of a request: method, path, host and a header, separated by line feeds."""
    parts = [part.decode("latin-1") for part in (*data.split(b"\n", 3), b"", b"", b"", b"")[:4]]
    bound = _ENGINE.connect(Wire("10.0.0.1"), _FRONT, (NodeName("catalog"), 8080), _DAY)
    try:
        decision = bound.decide(Incoming(parts[0], parts[1], parts[2], (("x-role", parts[3]),)))
    except EngineError:
        return
    assert isinstance(decision, Decision)
    assert not decision.is_allowed or parts[0] == "GET"


def questions(data: bytes) -> None:
    """What an Envoy asks over gRPC."""
    try:
        question = Question(data)
        asked = question.asked(lambda _: (), "payload")
    except (CheckError, ForwardedError):
        return
    assert isinstance(asked.method, str)


def trace_headers(data: bytes) -> None:
    """Trace headers: names and values in turn, separated by line feeds."""
    parts = data.split(b"\n")
    of = record(connection(), *zip(parts[::2], parts[1::2], strict=False))
    before = [line for line in of.head.fields if line[0] not in _TRACER.names]
    _TRACER(of.head, of)
    assert [line for line in of.head.fields if line[0] not in _TRACER.names] == before
    assert len(of.trace_id) == 32
    int(of.trace_id, 16)
    assert all(b"\r" not in value and b"\n" not in value for name, value in of.head.fields if name in _TRACER.names)


def certificates(data: bytes) -> None:
    """Certificates and keys, in PEM and in DER."""
    readers: tuple[Callable[[bytes], object], ...] = (pem.certificates, pem.certificates_der, pem.key, pem.key_der)
    for read in readers:
        try:
            assert read(data)
        except IdentityError as error:
            assert str(error)  # noqa: PT017


def tokens(data: bytes) -> None:
    """Tokens before anybody has looked at their signature, and the keys that are fetched for them."""
    try:
        assert unverified(data).algorithm is not None
    except FormError as error:
        assert error.fault  # noqa: PT017
    try:
        assert key_set(data) is not None
    except KeysError as error:
        assert str(error)  # noqa: PT017


def settings(data: bytes) -> None:
    """The settings of a sidecar."""
    try:
        assert parse_run_settings(data, Path("/etc/run.toml")).service
    except SettingError as error:
        assert str(error)  # noqa: PT017


def logs(data: bytes) -> None:
    """A decision log that somebody hands over."""
    assert isinstance(verify([("log", io.BytesIO(data))]), Whole | Broken)


READERS: dict[str, Callable[[bytes], None]] = {
    one.__name__.replace("_", "-"): one
    for one in (
        requests,
        responses,
        exchanges_of_a_client,
        exchanges_of_a_server,
        frames_of_a_client,
        frames_of_a_server,
        bundles,
        decisions,
        questions,
        trace_headers,
        certificates,
        tokens,
        settings,
        logs,
    )
}
"""By the name that the command line takes."""
