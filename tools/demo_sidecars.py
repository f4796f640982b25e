"""The last step of `make demo`: three services of the shop behind sidecars on loopback, with certificates of their own.

The services are servers of gRPC in this process, and what calls is a client of it; all between them is the sidecars'.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import grpc

PROXY = Path(sys.executable).parent / "meshproof-proxy"
NAMESPACE = "onlineboutique"
PLACE_ORDER = "/hipstershop.CheckoutService/PlaceOrder"
CHARGE = "/hipstershop.PaymentService/Charge"
CHECKOUT = ("checkoutservice", 5050)
PAYMENT = ("paymentservice", 50051)
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
    """Three services and their sidecars. `front` calls; the others are called."""

    front: Sidecar
    checkout: Sidecar
    payment: Sidecar

    def order(self) -> str:
        """The frontend places an order, for which the checkout charges a card: the status of gRPC."""
        return call(self.front.places[0], PLACE_ORDER)

    def charge(self) -> str:
        """The frontend charges a card itself."""
        return call(self.front.places[1], CHARGE)


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
    with ExitStack() as running:

        def beside(name: str, *parts: str) -> Sidecar:
            _certs("issue", authority, f"/ns/{NAMESPACE}/sa/{name}", folder / name)
            return running.enter_context(_sidecar(name, bundle, folder / name, parts))

        def answering(answer: dict[str, str]) -> str:
            return running.enter_context(_application(answer))

        payment = beside("paymentservice", _inbound(PAYMENT, answering({CHARGE: ""})))
        to_payment = _outbound(PAYMENT, payment.places[0])
        # The checkout finds its sidecar where it is told to, which is not known before that runs.
        relay: dict[str, str] = {}
        checkout = beside("checkoutservice", _inbound(CHECKOUT, answering(relay)), to_payment)
        relay[PLACE_ORDER] = checkout.places[1]
        front = beside("frontend", _outbound(CHECKOUT, checkout.places[0]), to_payment)
        yield Shop(front, checkout, payment)


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
    """Answers the methods that it knows with nothing; one that has a place calls for a charge there first."""

    def __init__(self, places: dict[str, str]) -> None:
        self._places = places

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        place = self._places.get(handler_call_details.method)
        if place is None:
            return None

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            if place and (status := call(place, CHARGE)) != "OK":
                context.abort(grpc.StatusCode[status], "the card was not charged")
            return request

        return grpc.unary_unary_rpc_method_handler(answer)


@contextmanager
def _application(places: dict[str, str]) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(4), handlers=(_Answers(places),), options=_PLAIN)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait(_SECONDS)


def _inbound(node: tuple[str, int], application: str) -> str:
    return f'[[inbound]]\nport = {node[1]}\nlisten = "127.0.0.1:0"\napplication = "{application}"\n'


def _outbound(node: tuple[str, int], place: str) -> str:
    named = f'destination = "{node[0]}"\nport = {node[1]}\n'
    return f'[[outbound]]\n{named}listen = "127.0.0.1:0"\n[[endpoints]]\n{named}addresses = ["{place}"]\n'


def _certs(*arguments: str | Path) -> None:
    subprocess.run([PROXY, "certs", *arguments], check=True, stdout=subprocess.DEVNULL)
