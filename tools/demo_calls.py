"""The requests of a policy's tests, sent to the sidecars of the demo: what was said of them, and what became of it."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from meshproof.runtime.core.http2.client import Http2Client
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.sending import Surroundings
from meshproof.runtime.core.messages import Failure, Fields, RequestHead, ResponseHead

LET_THROUGH = "let through"
REFUSED = "refused"
NOT_CONNECTED = "not connected"
_SECONDS = 20
_OK, _FORBIDDEN = 200, 403
_GRPC_OK, _GRPC_DENIED = "0", "7"  # https://grpc.github.io/grpc/core/md_doc_statuscodes.html
_NO_MESSAGE = b"\0\0\0\0\0"  # of gRPC: not compressed, and of no length
_SENT = {"source", "destination", "port", "protocol", "method", "path", "host"}
_GREEN, _RED, _PLAIN = "\033[32m", "\033[31m", "\033[0m"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what was said of it before it was sent: `allow …` or `deny …`."""

    text: str
    said: str
    request: Mapping[str, object]

    @property
    def source(self) -> str | None:
        """The SPIFFE ID of who calls; None for one without."""
        return str(_part(self.request, "source").get("identity") or "") or None

    @property
    def destination(self) -> str:
        """The service that is called; empty for what is none."""
        return str(_part(self.request, "destination").get("service", ""))


@dataclass(frozen=True, slots=True)
class Row:
    """What was said, and what a sidecar did."""

    asked: Asked
    done: str

    @property
    def agrees(self) -> bool:
        """Whether the one is the other; a caller without TLS is to get no connection, and no other is to lack one."""
        if self.asked.said.startswith("allow"):
            return self.done == LET_THROUGH
        return self.done == (NOT_CONNECTED if self.asked.said == "deny at transport" else REFUSED)


def of_tests(report: Mapping[str, object], environment: str, destinations: Iterable[str]) -> Iterator[Asked]:
    """The requests of tests to some services, from the JSON report of `check` that has judged them."""
    lines = _part(report, "tests")["lines"]
    assert isinstance(lines, list)
    for line in lines:
        text = " ".join(line["test"].partition("=>")[0].split())
        for request in line["requests"] if environment in line["environments"] else ():
            asked = Asked(text, line["actual"], request)
            if asked.destination in destinations and asked.said.startswith(("allow", "deny")):
                yield asked


def send(place: str, asked: Asked, identity: Path | None) -> str:
    """Send over HTTP/2; what came back, in words.

    `identity` is the folder with the certificate of who calls; without one the call is plaintext, as to one's own
    sidecar. RuntimeError if the request has parts that are not sent here.
    """
    if left := asked.request.keys() - _SENT:
        raise RuntimeError(f"the demo cannot send {sorted(left)} of {asked.text}")
    address, _, port = place.rpartition(":")
    with socket.create_connection((address, int(port)), _SECONDS) as plain:
        try:
            with _as(identity).wrap_socket(plain) if identity else plain as connection:
                answer = _exchange(connection, asked.request)
        except (ConnectionError, ssl.SSLError):
            return NOT_CONNECTED
        except TimeoutError:
            return f"no answer in {_SECONDS} s"
    return _in_words(answer)


def _as(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "bundle.0.pem"))
    context.check_hostname = False  # who answers has a SPIFFE ID, and no name of DNS
    context.load_cert_chain(folder / "svid.0.pem", folder / "svid.0.key")
    context.set_alpn_protocols(["h2"])
    return context


@dataclass(slots=True)
class _Wire:
    """A connection as a codec writes to it: HTTP/2 holds nobody back by it."""

    connection: socket.socket

    def write(self, data: bytes) -> None:
        self.connection.sendall(data)

    def close(self) -> None:
        """The end is up to whoever opened it."""

    pause_reading = resume_reading = end_writing = abort = close


@dataclass(slots=True)
class _Answer:
    """The answer to one request, as far as it has come."""

    status: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    is_whole: bool = False
    is_cut: bool = False

    def response(self, head: ResponseHead) -> None:
        self.status, self.is_whole = head.status, head.is_end
        self.trailers(head.fields, is_end=head.is_end)

    def data(self, payload: bytes, *, is_end: bool) -> None:
        del payload
        self.is_whole = is_end

    def trailers(self, fields: Fields, *, is_end: bool = True) -> None:
        self.fields.update((name.decode(), value.decode()) for name, value in fields)
        self.is_whole = is_end

    def reset(self, failure: Failure) -> None:
        del failure
        self.is_cut = True

    def pause_request(self) -> None:
        """What is sent here is small."""

    resume_request = pause_request


def _exchange(connection: socket.socket, request: Mapping[str, object]) -> _Answer:
    soon: list[Callable[[], None]] = []
    around = Surroundings(_Wire(connection), time.monotonic, soon.append, lambda _: None)
    http, answer = Http2Client(around, Http2Limits(), scheme=b"https"), _Answer()
    is_grpc = request["protocol"] == "grpc"
    fields = [(b"content-type", b"application/grpc"), (b"te", b"trailers")] if is_grpc else []
    method, path, host = (str(request[key]) for key in ("method", "path", "host"))
    head = RequestHead(method, path, host, fields, None if is_grpc else 0, is_end=not is_grpc)
    stream = http.request(head, answer)
    if is_grpc:
        stream.data(_NO_MESSAGE, is_end=True)
    while True:
        while soon:
            soon.pop(0)()
        if answer.is_whole:
            return answer
        data = b"" if answer.is_cut else connection.recv(65536)
        if not data:
            raise ConnectionAbortedError
        http.receive(data)


def _in_words(answer: _Answer) -> str:
    status, grpc = answer.status, answer.fields.get("grpc-status", _GRPC_OK)
    if (status, grpc) == (_OK, _GRPC_OK):
        return LET_THROUGH
    if status == _FORBIDDEN or grpc == _GRPC_DENIED:
        return REFUSED
    return f"status {status}, of gRPC {grpc}"


def as_text(request: Mapping[str, object]) -> str:
    """A request of a service account, as a line of a test begins."""
    caller = str(_part(request, "source")["identity"]).rpartition("/")[2]
    service = _part(request, "destination")["service"]
    return f"{caller} -> {service}:{request['port']} {request['method']} {request['path']}"


def as_table(rows: Iterable[Row], *, colour: bool) -> str:
    """The rows, each with a mark for whether said and done agree; colours are for terminals."""
    rows = tuple(rows)
    widths = [
        max(map(len, column)) for column in zip(("request", "said by the proof"), *map(_cells, rows), strict=True)
    ]
    lines = ["     " + _line(("request", "said by the proof"), widths) + "done by the proxy"]
    for row in rows:
        shade, mark = (_GREEN, "✓") if row.agrees else (_RED, "✗")
        done = f"{shade}{row.done}{_PLAIN}" if colour else row.done
        lines.append(f"   {f'{shade}{mark}{_PLAIN}' if colour else mark} {_line(_cells(row), widths)}{done}")
    return "".join(f"{line}\n" for line in lines)


def _cells(row: Row) -> tuple[str, str]:
    return row.asked.text, row.asked.said


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "".join(cell.ljust(width + 2) for cell, width in zip(cells, widths, strict=True))


def judged(asked: Asked, sending: Callable[[], str], heard: Callable[[], int]) -> Row:
    """Send, and believe an answer only if the application heard of what was let through, and of nothing else."""
    before = heard()
    done = sending()
    if (done == LET_THROUGH) != (heard() > before):
        done += ", and the application heard " + ("of it" if heard() > before else "nothing")
    return Row(asked, done)


def _part(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = value[key]
    assert isinstance(part, dict)
    return part
