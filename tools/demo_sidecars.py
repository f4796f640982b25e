"""The last step of `make demo`: three services of the shop behind sidecars on loopback, with certificates of their own.

The services are servers of gRPC and HTTP in this process; all between them and who calls is the sidecars'.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import ProxyHandler, build_opener

import grpc
from tools.demo_calls import Asked, Row, judged, send

PROXY = Path(sys.executable).parent / "meshproof-proxy"
_ACCOUNTS = "spiffe://cluster.local/ns/onlineboutique/sa/"
PLACE_ORDER = "/hipstershop.CheckoutService/PlaceOrder"
CHARGE = "/hipstershop.PaymentService/Charge"
FRONT = ("frontend", 8080)
CHECKOUT = ("checkoutservice", 5050)
PAYMENT = ("paymentservice", 50051)
STARTED = tuple(name for name, _ in (FRONT, CHECKOUT, PAYMENT))
_SECONDS = 20
_PLAIN = (("grpc.enable_http_proxy", 0),)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar that runs: where it listens, in the order of its settings, and where it tells of itself."""

    places: tuple[str, ...]
    admin: str
    access_log: Path

    def lines(self) -> list[dict[str, object]]:
        """Its access log."""
        return [json.loads(line) for line in self.access_log.read_text(encoding="utf-8").splitlines()]

    def metrics(self, begin: str) -> list[str]:
        """The lines of its metrics that begin so."""
        with build_opener(ProxyHandler({})).open(f"http://{self.admin}/metrics", timeout=_SECONDS) as answer:
            return [line for line in answer.read().decode("utf-8").splitlines() if line.startswith(begin)]


@dataclass(frozen=True, slots=True)
class Shop:
    """Three services and their sidecars.

    `doors` is where sidecars take requests to their service, `ways` where they take those of their service to another.
    `heard` has for each service what its application was asked.
    """

    payment: Sidecar
    doors: Mapping[str, str]
    ways: Mapping[tuple[str, str], str]
    heard: Mapping[str, list[str]]
    authority: Path
    identities: dict[str, Path] = field(default_factory=dict)

    def order(self) -> str:
        """The frontend places an order, for which the checkout charges a card: the status of gRPC."""
        return call(self.ways[f"{_ACCOUNTS}{FRONT[0]}", CHECKOUT[0]], PLACE_ORDER)

    def ask(self, asked: Iterable[Asked]) -> tuple[Row, ...]:
        """Send requests: through the sidecar of who calls where it has one, else with a certificate of its own."""
        return tuple(judged(one, partial(self._send, one), self.heard[one.destination].__len__) for one in asked)

    def _send(self, asked: Asked) -> str:
        if asked.source is None:
            return send(self.doors[asked.destination], asked, None)
        way = self.ways.get((asked.source, asked.destination))
        if way is not None:
            return send(way, asked, None)
        return send(self.doors[asked.destination], asked, self._identity(asked.source))

    def _identity(self, spiffe_id: str) -> Path:
        if spiffe_id not in self.identities:
            folder = self.authority.parent / f"caller-{len(self.identities)}"
            _certs("issue", self.authority, spiffe_id, folder)
            self.identities[spiffe_id] = folder
        return self.identities[spiffe_id]


def call(place: str, method: str) -> str:
    """The status of a call of gRPC without TLS, as an application makes it to its own sidecar."""
    with grpc.insecure_channel(place, options=_PLAIN) as channel:
        try:
            channel.unary_unary(method)(b"", timeout=_SECONDS)
        except grpc.RpcError as error:
            return str(error.code().name)
    return "OK"


@contextmanager
def three_sidecars(bundle: Path, folder: Path) -> Iterator[Shop]:
    """Start all, the one that is called first; end all."""
    folder.mkdir()
    authority = folder / "authority"
    _certs("init", authority, "--trust-domain", "cluster.local")
    heard: dict[str, list[str]] = {name: [] for name in STARTED}
    with ExitStack() as running:

        def beside(name: str, *parts: str) -> Sidecar:
            _certs("issue", authority, f"{_ACCOUNTS}{name}", folder / name)
            return running.enter_context(_sidecar(name, bundle, folder / name, parts))

        def answering(name: str, relay: Mapping[str, str]) -> str:
            return running.enter_context(_application(_Answers(relay, heard[name])))

        payment = beside("paymentservice", _inbound(PAYMENT, answering("paymentservice", {})))
        to_payment = _outbound(PAYMENT, payment.places[0])
        # The checkout finds its sidecar where it is told to, which is not known before that runs.
        relay: dict[str, str] = {}
        served = answering("checkoutservice", relay)
        checkout = beside("checkoutservice", _inbound(CHECKOUT, served), to_payment)
        relay[PLACE_ORDER] = checkout.places[1]
        pages = running.enter_context(_pages(heard["frontend"]))
        front = beside("frontend", _inbound(FRONT, pages), _outbound(CHECKOUT, checkout.places[0]), to_payment)
        ways = {
            (f"{_ACCOUNTS}frontend", "checkoutservice"): front.places[1],
            (f"{_ACCOUNTS}frontend", "paymentservice"): front.places[2],
            (f"{_ACCOUNTS}checkoutservice", "paymentservice"): checkout.places[1],
        }
        doors = {name: one.places[0] for name, one in zip(STARTED, (front, checkout, payment), strict=True)}
        yield Shop(payment, doors, ways, heard, authority)


@contextmanager
def _sidecar(name: str, bundle: Path, folder: Path, parts: tuple[str, ...]) -> Iterator[Sidecar]:
    config = folder / "run.toml"
    log = folder / "access.jsonl"
    config.write_text(
        f'service = "{name}"\n[policy]\nbundle = {json.dumps(str(bundle.resolve()))}\n[identity]\nfolder = "."\n'
        + "".join(parts)
        + f'[telemetry]\naccess_log = "{log.name}"\n[admin]\nlisten = "127.0.0.1:0"\n[process]\ndrain_seconds = 1\n',
        encoding="utf-8",
    )
    with subprocess.Popen([PROXY, "run", "--config", config], stderr=subprocess.PIPE, text=True) as process:
        try:
            yield _started(process, log)
        finally:
            process.terminate()
            process.communicate(timeout=_SECONDS)


def _started(process: subprocess.Popen[str], log: Path) -> Sidecar:
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("{"):
            told = json.loads(line)
            if told["event"] == "started":
                return Sidecar(tuple(told["listen"].split()), told["admin"], log)
        elif line.strip():
            raise RuntimeError(line.strip())
    raise RuntimeError("a sidecar ended before it started")


class _Answers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Answers every method with nothing; one that has a place calls for a charge there first."""

    def __init__(self, places: Mapping[str, str], heard: list[str]) -> None:
        self._places = places
        self._heard = heard

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        self._heard.append(handler_call_details.method)
        place = self._places.get(handler_call_details.method)

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            if place and (status := call(place, CHARGE)) != "OK":
                context.abort(grpc.StatusCode[status], "the card was not charged")
            return request

        return grpc.unary_unary_rpc_method_handler(answer)


@contextmanager
def _application(answers: _Answers) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(4), handlers=(answers,), options=_PLAIN)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait(_SECONDS)


@contextmanager
def _pages(heard: list[str]) -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        """An empty one, for whatever is asked."""

        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_POST = do_DELETE = _answer  # noqa: N815 - names of the standard library

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the standard library has it
            """Nothing: the sidecar's log has it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(_SECONDS)


def _inbound(node: tuple[str, int], application: str) -> str:
    return f'[[inbound]]\nport = {node[1]}\nlisten = "127.0.0.1:0"\napplication = "{application}"\n'


def _outbound(node: tuple[str, int], place: str) -> str:
    named = f'destination = "{node[0]}"\nport = {node[1]}\n'
    return f'[[outbound]]\n{named}listen = "127.0.0.1:0"\n[[endpoints]]\n{named}addresses = ["{place}"]\n'


def _certs(*arguments: str | Path) -> None:
    subprocess.run([PROXY, "certs", *arguments], check=True, stdout=subprocess.DEVNULL)
