"""Proxies before one service, each with the policy of a benchmark: ours, Envoy, nginx, proxy.py and mitmdump.

nginx is taken from the path, where Debian's package puts it. proxy.py and mitmdump are installed below `build/`, each
into an environment of its own. Neither asks callers for certificates in the way of a mesh: proxy.py shows its own
alone, mitmdump is asked without TLS and would cost more with it. None of the three keeps a policy.

proxy.py connects to the service anew for each request if its plugin names an address, and then holds the second request
of a kept connection; so the plugin here gives it a connection that is kept, one for each caller's, which is what ours
does. Its access log has a line for each connection, not for each request.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity import development

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "proxies"
DOMAIN = "shop.example"
TYPE = "type.googleapis.com/envoy.extensions"
PATIENCE = 60.0
DAY = 86_400.0
CALLERS = 50
PACKAGES = {"mitmdump": "mitmproxy", "proxy": "proxy.py"}
KEPT = """
from proxy.core.connection import TcpServerConnection
from proxy.http.server import ReverseProxyBasePlugin


class Kept(ReverseProxyBasePlugin):
    kept = None

    def routes(self):
        return ["/"]

    def handle_route(self, request, pattern):
        if self.kept is None:
            self.kept = TcpServerConnection("127.0.0.1", SERVICE)
            self.kept.connect()
        self.kept.queue(memoryview(request.build()))
        return self.kept
"""

Config = dict[str, object]
Rule = tuple[str, str]
"""Who may GET what is below a path."""


@dataclass(frozen=True, slots=True)
class Running:
    """A proxy that takes requests, and its process."""

    port: int
    pid: int
    is_tls: bool = True

    def pids(self) -> list[int]:
        """Its processes."""
        found = [self.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text(encoding="ascii").split())
        return found

    def cpu(self) -> float:
        """The seconds of all threads of all its processes, as the scheduler counts them."""
        files = [one / "schedstat" for pid in self.pids() for one in Path(f"/proc/{pid}/task").iterdir()]
        return sum(int(one.read_text(encoding="ascii").split()[0]) for one in files) / 1e9

    def mebibytes(self) -> float:
        """What all its processes have in memory."""
        texts = [Path(f"/proc/{pid}/status").read_text(encoding="ascii") for pid in self.pids()]
        return sum(int(text.partition("VmRSS:")[2].split()[0]) for text in texts) / 1024


def rules(count: int, *, is_of_one: bool = False) -> tuple[Rule, ...]:
    """So many for one workload; the one that allows what is asked comes last. They are of 50 callers, or all of one."""
    others = tuple(
        ("front" if is_of_one else f"caller{number % CALLERS}", f"/r{number}/") for number in range(count - 1)
    )
    return (*others, ("front", "/items/"))


def give(folder: Path) -> None:
    """Identities."""
    now = time.time()
    authorities = development.make_authority(folder / "authority", DOMAIN, now, DAY)
    for name in ("front", "catalog"):
        identity = SpiffeId(DOMAIN, f"/ns/shop/sa/{name}")
        development.issue(authorities, folder / name, identity, (now, DAY), replaces=False)


def _policy(some: Sequence[Rule]) -> bytes:
    """A bundle: whoever is authenticated may do all, or what the rules say."""
    services = "".join(f"service caller{number} {{ port http 80 -> 8080 }}\n" for number in range(CALLERS))
    said = "".join(
        f"allow a{number}: {who} -> catalog:http {{ GET {path}** }}\n" for number, (who, path) in enumerate(some)
    )
    text = (
        f'mesh shop {{ language 1  trust-domain "{DOMAIN}"  namespace shop  mtls strict }}\n{services}'
        "service front { port http 80 -> 8080 }\nservice catalog { port http 80 -> 8080 }\n"
        + (said or "allow everybody: authenticated -> all\n")
    )
    return bundle(text)


def bundle(policy: str) -> bytes:
    """The bundle of a policy."""
    meshes = policy_of_texts({"policy.mesh": policy}).meshes
    return dump(Bundle("benchmark", "known", enforced(meshes[0])))


def free() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@contextmanager
def running(command: Sequence[str], ready: str) -> Iterator[tuple[int, list[str]]]:
    """A process that is ready, and what it said up to then; somebody listens to it all the time."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        lines: Queue[str] = Queue()
        Thread(target=_listen, args=(process.stderr, lines), daemon=True).start()
        try:
            said = [lines.get(timeout=PATIENCE)] if ready else []
            while ready and ready not in said[-1]:
                said.append(lines.get(timeout=PATIENCE))
            yield process.pid, said
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _listen(stream: IO[str], lines: Queue[str]) -> None:
    for line in stream:
        lines.put(line)


@contextmanager
def sidecar(
    folder: Path, service: int, some: Sequence[Rule], *, has_log: bool = True, name: str = ""
) -> Iterator[Running]:
    """Ours, one worker, as it is by default, with its access log on. `name` is for its files."""
    name = name or f"sidecar{len(some)}"
    (folder / f"{name}.json").write_bytes(_policy(some))
    log = f'[telemetry]\naccess_log = "{name}.log"\n' if has_log else ""
    (folder / f"{name}.toml").write_text(
        f'service = "catalog"\n[policy]\nbundle = "{name}.json"\n[identity]\nfolder = "catalog"\n'
        f'[[inbound]]\nport = 8080\nlisten = "127.0.0.1:0"\napplication = "127.0.0.1:{service}"\n{log}',
        encoding="utf-8",
    )
    command = [str(Path(sys.executable).with_name("meshproof-proxy")), "run", "--config", str(folder / f"{name}.toml")]
    with running(command, '"started"') as (_, said):
        told = {line["event"]: line for line in map(json.loads, said)}
        yield Running(int(told["started"]["listen"].split(":")[1]), told["worker-serving"]["pid"])


@contextmanager
def envoy(program: str, folder: Path, service: int, some: Sequence[Rule]) -> Iterator[Running]:
    """Envoy with one worker, RBAC and its access log."""
    port = free()
    path = folder / f"envoy{len(some)}.json"
    path.write_text(json.dumps(_bootstrap(folder, port, service, some)), encoding="utf-8")
    command = [program, "-c", str(path), "--disable-hot-restart", "--concurrency", "1", "--log-level", "info"]
    with running(command, "starting main dispatch loop") as (pid, _):
        yield Running(port, pid)


def _bootstrap(folder: Path, port: int, service: int, some: Sequence[Rule]) -> Config:
    own = folder / "catalog"
    names = [{"san_type": "URI", "matcher": {"prefix": f"spiffe://{DOMAIN}/"}}]
    common = {
        "tls_certificates": [
            {
                "certificate_chain": {"filename": str(own / "svid.0.pem")},
                "private_key": {"filename": str(own / "svid.0.key")},
            }
        ],
        "validation_context": {
            "trusted_ca": {"filename": str(own / "bundle.0.pem")},
            "match_typed_subject_alt_names": names,
        },
        "alpn_protocols": ["h2", "http/1.1"],
    }
    tls = {
        "@type": f"{TYPE}.transport_sockets.tls.v3.DownstreamTlsContext",
        "require_client_certificate": True,
        "common_tls_context": common,
    }
    chain = {
        "transport_socket": {"name": "tls", "typed_config": tls},
        "filters": [{"name": "manager", "typed_config": _manager(folder, some)}],
    }
    endpoint = {"endpoint": {"address": _place(service)}}
    cluster = {
        "name": "own",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "own", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    listener = {"name": "inbound", "address": _place(port), "filter_chains": [chain]}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _manager(folder: Path, some: Sequence[Rule]) -> Config:
    policies = {f"a{number:04}": _allow(*rule) for number, rule in enumerate(some)}
    whoever = {"everybody": {"principals": [{"authenticated": {}}], "permissions": [{"any": True}]}}
    rbac = {"action": "ALLOW", "policies": policies or whoever}
    log = {"@type": f"{TYPE}.access_loggers.file.v3.FileAccessLog", "path": str(folder / f"envoy{len(some)}.log")}
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "own"}}]
    return {
        "@type": f"{TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "inbound",
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": {"uri": True},
        "normalize_path": True,
        "access_log": [{"name": "file", "typed_config": log}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {"name": "rbac", "typed_config": {"@type": f"{TYPE}.filters.http.rbac.v3.RBAC", "rules": rbac}},
            {"name": "router", "typed_config": {"@type": f"{TYPE}.filters.http.router.v3.Router"}},
        ],
    }


def _allow(who: str, path: str) -> Config:
    principal = {"authenticated": {"principal_name": {"exact": f"spiffe://{DOMAIN}/ns/shop/sa/{who}"}}}
    method = {"header": {"name": ":method", "string_match": {"exact": "GET"}}}
    below = {"url_path": {"path": {"prefix": path}}}
    return {"principals": [principal], "permissions": [{"and_rules": {"rules": [method, below]}}]}


def _place(port: int) -> Config:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@contextmanager
def nginx(folder: Path, service: int) -> Iterator[Running]:
    """A server of nginx with one worker, client certificates and its access log; the worker alone counts."""
    port, own = free(), folder / "catalog"
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr notice;\n"
        f"events {{ worker_connections 512; }}\nhttp {{ access_log {folder}/nginx.log;\n"
        f"client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};\n"
        f"uwsgi_temp_path {folder}; scgi_temp_path {folder};\n"
        f"upstream own {{ server 127.0.0.1:{service}; keepalive 64; keepalive_requests 100000000; }}\n"
        f"server {{ listen 127.0.0.1:{port} ssl; keepalive_requests 100000000;\n"
        f"ssl_certificate {own}/svid.0.pem; ssl_certificate_key {own}/svid.0.key;\n"
        f"ssl_client_certificate {own}/bundle.0.pem; ssl_verify_client on; ssl_protocols TLSv1.2 TLSv1.3;\n"
        'location / { proxy_pass http://own; proxy_http_version 1.1; proxy_set_header Connection "";\n'
        "proxy_set_header Host $host; proxy_set_header X-Client $ssl_client_s_dn; } } }\n",
        encoding="utf-8",
    )
    command = [shutil.which("nginx") or "nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with running(command, "start worker process ") as (pid, _):
        _until(port)
        yield Running(port, pid)


@contextmanager
def mitmdump(service: int) -> Iterator[Running]:
    """A mitmdump in reverse mode, without TLS."""
    port = free()
    program = str(_installed("mitmdump"))
    options = ["-q", "--set", "flow_detail=0", "--listen-host", "127.0.0.1", "-p", str(port)]
    with running([program, "--mode", f"reverse:http://127.0.0.1:{service}", *options], "") as (pid, _):
        _until(port)
        yield Running(port, pid, is_tls=False)


@contextmanager
def proxy_py(folder: Path, service: int) -> Iterator[Running]:
    """A proxy.py in reverse mode with one worker, TLS without certificates of callers, and its access log."""
    port, own = free(), folder / "catalog"
    (folder / "kept.py").write_text(KEPT.replace("SERVICE", str(service)), encoding="utf-8")
    program = ["env", f"PYTHONPATH={folder}", str(_installed("proxy"))]
    mode = ["--enable-reverse-proxy", "--plugins", "kept.Kept"]
    place = ["--hostname", "127.0.0.1", "--port", str(port), "--num-workers", "1", "--num-acceptors", "1"]
    tls = ["--cert-file", str(own / "svid.0.pem"), "--key-file", str(own / "svid.0.key")]
    with running([*program, *mode, *place, *tls, "--log-file", str(folder / "proxy.log")], "") as (pid, _):
        _until(port)
        yield Running(port, pid)


def _installed(program: str) -> Path:
    home = BUILD / program
    found = home / "bin" / program
    if not found.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([home / "bin" / "python", "-m", "pip", "install", "--quiet", PACKAGES[program]], check=True)
    return found


def _until(port: int) -> None:
    """Until somebody listens there."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nobody listens at {port}")
