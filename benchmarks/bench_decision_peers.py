"""One decision among 10,000 rules, beside other engines in the same process, all of them embedded in Python.

All are asked the same requests, with fresh strings, and the benchmark fails if they do not decide the same. Ours is
timed with the connection made before (as a proxy has it) and made for each request; the others have no such form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from time import process_time

from benchmarks.case import Case
from benchmarks.decision_peers import Peer, peers
from benchmarks.decision_workload import REQUESTS, Asked, asked, mesh

from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.engine.engine import Engine
from meshproof.runtime.engine.facts import Incoming, Wire

COUNT = 10_000
DAY = date(2026, 11, 23)
WIRE = Wire("10.0.0.7")
TIMES = {"cedarpy": 1_000, "PyCasbin Enforcer": 1_000, "PyCasbin FastEnforcer": 50, "regorus, rules as data": 50}


def cases() -> Iterator[Case]:
    """Ours beside each of the others in turn."""
    engine = Engine(mesh(COUNT))
    for peer in peers(COUNT):
        some = asked(COUNT, peer.requests)
        assert [peer.decide(one) for one in some] == _decided(engine, some), peer.name
        theirs = peer.name
        for form, run in (("bound", _bound), ("whole", _whole)):
            times = TIMES[peer.name] if form == "bound" else None
            yield Case(
                f"meshproof, {form}, beside {theirs}",
                partial(run, engine),
                is_own_time=True,
                beside=theirs,
                times=times,
            )
        yield Case(theirs, partial(_peer, peer), is_own_time=True)


def _decided(engine: Engine, some: Sequence[Asked]) -> list[bool]:
    return [
        engine.connect(WIRE, _identity(account), (NodeName(f"s{service}"), 8080), DAY)
        .decide(Incoming(method, path))
        .is_allowed
        for account, service, method, path in some
    ]


def _identity(account: int) -> str:
    return f"spiffe://cluster.local/ns/n/sa/a{account}"


def _whole(engine: Engine) -> float:
    ready = [
        (_identity(account), (NodeName(f"s{service}"), 8080), Incoming(method, path))
        for account, service, method, path in asked(COUNT)
    ]

    def decide() -> None:
        for identity, place, incoming in ready:
            engine.connect(WIRE, identity, place, DAY).decide(incoming)

    return _seconds(decide) / REQUESTS


def _bound(engine: Engine) -> float:
    ready = [
        (engine.connect(WIRE, _identity(account), (NodeName(f"s{service}"), 8080), DAY), Incoming(method, path))
        for account, service, method, path in asked(COUNT)
    ]

    def decide() -> None:
        for connection, incoming in ready:
            connection.decide(incoming)

    return _seconds(decide) / REQUESTS


def _peer(peer: Peer) -> float:
    ready = asked(COUNT, peer.requests)

    def decide() -> None:
        for one in ready:
            peer.decide(one)

    return _seconds(decide) / peer.requests


def _seconds(work: Callable[[], None]) -> float:
    begin = process_time()
    work()
    return process_time() - begin
