"""What a check costs the authorizer, over HTTP and over gRPC: CPU of its process, and latency as its peer sees it.

Both over mTLS at loopback, one connection, one check at a time, one process of `meshproof-proxy authz`, 200 rules.
The CPU of who asks, which stands in the latency, is not in the CPU.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
from atexit import register
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from http import HTTPStatus
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import grpc
from benchmarks.case import Case
from tests.e2e.envoy.certificates import Authority, client_context

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.runtime.bundle import load_bundle
from meshproof.runtime.core.http1 import HeadLimits, RequestReader
from meshproof.runtime.extauthz.authorizer import Authorizer
from meshproof.runtime.extauthz.check import CONTEXT
from meshproof.runtime.extauthz.check_messages import CheckRequest, CheckResponse
from meshproof.runtime.extauthz.destinations import Destination
from meshproof.runtime.extauthz.responses import answer_bytes

CHECKS = 2000
RULES = 200
ACCOUNT = "spiffe://cluster.local/ns/shop/sa/"
HEAD = """
mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
service catalog { port http 80 -> 8080 }
"""
SETTINGS = """
[policy]
bundle = "policy.json"
[listen]
port = 0
[listen.tls]
{tls}
[grpc]
port = 0
[grpc.tls]
{tls}
[[destination]]
path_prefix = "/catalog"
service = "catalog"
port = 8080
headers = ["x-role"]
"""
LINES = (
    "GET /catalog/items/117/reviews HTTP/1.1",
    "host: catalog.shop.svc.cluster.local",
    "content-length: 0",
    f"x-forwarded-client-cert: By={ACCOUNT}catalog;Hash={'0a' * 32};URI={ACCOUNT}front",
    "x-role: editor",
    "x-forwarded-for: 10.0.0.1",
    "x-envoy-internal: true",
)
QUESTION = ("\r\n".join(LINES) + "\r\n\r\n").encode("ascii")
DAY = date(2026, 11, 23)
Ask = Callable[[], None]


def cases() -> Iterator[Case]:
    stack = ExitStack()
    register(stack.close)
    folder = Path(stack.enter_context(TemporaryDirectory()))
    authority = Authority(folder, "ca")
    bundle = _bundle()
    places, process = stack.enter_context(_authorizer(folder, authority, bundle))
    http = _over_http(stack, authority, places["listen"])
    rpc = _over_grpc(stack, authority, places["grpc"])
    yield Case(
        "a check over HTTP, without sockets and TLS: CPU",
        lambda: _alone(bundle),
        goal=20e-6,
        is_own_time=True,
    )
    yield Case("a check over HTTP: CPU", lambda: _cpu_of(http, process), is_own_time=True)
    yield Case("a check over gRPC: CPU", lambda: _cpu_of(rpc, process), goal=450e-6, is_own_time=True)
    yield Case("a check over HTTP: latency, p50", lambda: _latency(http), is_own_time=True)
    yield Case("a check over gRPC: latency, p50", lambda: _latency(rpc), is_own_time=True)


def _bundle() -> bytes:
    rules = "".join(
        f'allow r{number}: front -> catalog:http {{ GET /items/{number}/** when header["x-role"] == "editor" }}\n'
        for number in range(RULES)
    )
    mesh = enforced(policy_of_texts({"shop.mesh": HEAD + rules}).meshes[0])
    return dump(Bundle("digest", "known", mesh))


def _alone(bundle: bytes) -> float:
    """Reading, deciding and writing, as often as a connection does."""
    destination = Destination("/catalog", "catalog", 8080, ("x-role",))
    authorizer, reader = Authorizer(load_bundle(bundle), (destination,)), RequestReader(HeadLimits())
    start = process_time()
    for _ in range(CHECKS):
        for head in reader.feed(QUESTION)[0]:
            answer = authorizer.answer(head, DAY)
            assert answer.status == HTTPStatus.OK
            answer_bytes(answer, authorizer.policy, is_last=False)
    return (process_time() - start) / CHECKS


def _cpu_of(ask: Ask, process: int) -> float:
    before = _cpu(process)
    for _ in range(CHECKS):
        ask()
    return (_cpu(process) - before) / CHECKS


def _latency(ask: Ask) -> float:
    taken: list[float] = []
    for _ in range(CHECKS):
        start = perf_counter()
        ask()
        taken.append(perf_counter() - start)
    return median(taken)


def _cpu(process: int) -> float:
    """The seconds of all threads of a process, as the scheduler counts them."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((one / "schedstat").read_text(encoding="ascii").split()[0]) for one in threads) / 1e9


def _over_http(stack: ExitStack, authority: Authority, place: str) -> Ask:
    host, _, port = place.rpartition(":")
    context: ssl.SSLContext = client_context(authority.of(f"{ACCOUNT}catalog"), ("http/1.1",))
    plain = stack.enter_context(socket.create_connection((host, int(port))))
    secured = stack.enter_context(context.wrap_socket(plain))

    def ask() -> None:
        secured.sendall(QUESTION)
        if not secured.recv(4096).startswith(b"HTTP/1.1 200 "):
            raise AssertionError("it is refused")

    return ask


def _over_grpc(stack: ExitStack, authority: Authority, place: str) -> Ask:
    pair = authority.of(f"{ACCOUNT}catalog")
    own = grpc.ssl_channel_credentials(
        authority.root.read_bytes(), pair.key.read_bytes(), pair.certificate.read_bytes()
    )
    channel = stack.enter_context(grpc.secure_channel(place, own))
    check = channel.unary_unary("/envoy.service.auth.v3.Authorization/Check")
    request: Any = CheckRequest()
    request.attributes.source.principal = f"{ACCOUNT}front"
    request.attributes.context_extensions[CONTEXT] = "/catalog"
    http = request.attributes.request.http
    http.method, http.path, http.host = "GET", "/items/117/reviews", "catalog.shop.svc.cluster.local"
    for key, value in (("x-role", b"editor"), ("user-agent", b"curl/8"), ("x-request-id", b"0" * 36)):
        http.header_map.headers.add(key=key, raw_value=value)
    question: bytes = request.SerializeToString()

    def ask() -> None:
        response: Any = CheckResponse.FromString(check(question))
        if not response.HasField("ok_response"):
            raise AssertionError("it is refused")

    return ask


@contextmanager
def _authorizer(folder: Path, authority: Authority, bundle: bytes) -> Iterator[tuple[dict[str, str], int]]:
    """Where it listens, and its process."""
    (folder / "policy.json").write_bytes(bundle)
    pair = authority.of(f"{ACCOUNT}authorizer")
    tls = f'certificate = "{pair.certificate}"\nkey = "{pair.key}"\nclient_ca = "{authority.root}"'
    (folder / "authz.toml").write_text(SETTINGS.format(tls=tls), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("meshproof-proxy")), "authz", "--config", str(folder / "authz.toml")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            told: dict[str, str] = json.loads(process.stderr.readline())
            yield told, process.pid
        finally:
            process.kill()
