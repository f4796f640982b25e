"""What one decision of the engine costs, by the number of rules, on requests whose strings are fresh each time.

A rule lets one of 200 accounts call one of 200 services with one or two methods and one path pattern; half of the
requests match. A case decides 2,000 requests and returns the seconds of CPU of one decision, as the median over
slices of them: with the connection made for each request, or (`bound`) made before. The interpreter decides the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import cache, partial
from statistics import median
from time import process_time

from benchmarks.case import Case
from benchmarks.decision_workload import REQUESTS, asked
from benchmarks.decision_workload import mesh as mesh_of

from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import decide
from meshproof.runtime.engine.engine import Engine
from meshproof.runtime.engine.facts import Incoming, Wire

DAY = date(2026, 11, 23)
SLICES = 10
SIZES = (10, 100, 1_000, 10_000)
WIRE = Wire("10.0.0.7")


def cases() -> Iterator[Case]:
    """The cheapest first; each beside the interpreter, which looks at every rule."""
    for rules in SIZES:
        yield Case(f"bound, {rules} rules", partial(_bound, rules), is_own_time=True, goal=1.5e-6)
        slower = f"interpreter, {rules} rules"
        yield Case(
            f"whole, {rules} rules",
            partial(_whole, rules),
            is_own_time=True,
            goal=1e-5,
            beside=slower if rules == SIZES[1] else None,
            times=10 if rules == SIZES[1] else None,
        )
    yield Case(f"interpreter, {SIZES[1]} rules", partial(_interpreter, SIZES[1]), is_own_time=True)


@cache
def _engine(count: int) -> Engine:
    return Engine(mesh_of(count))


def _whole(count: int) -> float:
    """Caller, destination and request all new."""
    engine = _engine(count)
    ready = [
        (f"spiffe://cluster.local/ns/n/sa/a{account}", NodeName(f"s{service}"), Incoming(method, path))
        for account, service, method, path in asked(count)
    ]

    def decided(part: slice) -> None:
        for identity, service, incoming in ready[part]:
            engine.connect(WIRE, identity, (service, 8080), DAY).decide(incoming)

    return _median(decided)


def _bound(count: int) -> float:
    """The connection is there; the request is new."""
    engine = _engine(count)
    ready = [
        (
            engine.connect(WIRE, f"spiffe://cluster.local/ns/n/sa/a{account}", (NodeName(f"s{service}"), 8080), DAY),
            Incoming(method, path),
        )
        for account, service, method, path in asked(count)
    ]

    def decided(part: slice) -> None:
        for connection, incoming in ready[part]:
            connection.decide(incoming)

    return _median(decided)


def _interpreter(count: int) -> float:
    mesh = mesh_of(count)
    ready = [
        Request(
            source=Peer(f"spiffe://cluster.local/ns/n/sa/a{account}", "10.0.0.7"),
            destination=NodeName(f"s{service}"),
            port=8080,
            protocol=RequestProtocol.HTTP,
            method=method,
            path=path,
            host="s",
        )
        for account, service, method, path in asked(count)[: REQUESTS // 10]
    ]

    def decided(part: slice) -> None:
        for request in ready[slice(part.start // 10, part.stop // 10)]:
            decide(mesh, request, DAY)

    return 10 * _median(decided)


def _median(decided: Callable[[slice], None]) -> float:
    size = REQUESTS // SLICES
    found = []
    for start in range(0, REQUESTS, size):
        begin = process_time()
        decided(slice(start, start + size))
        found.append((process_time() - begin) / size)
    return median(found)
