"""Whatever callers and endpoints do, and in whatever order: nothing stays counted, and nobody is told twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.runtime.core.traffic.scenes import Caller, Clock, Stream, cluster, draws, endpoint, head, record, retry

from meshproof.compiler.ir.routing import Ejection, Limits
from meshproof.runtime.core.messages import Failure
from meshproof.runtime.core.traffic.copying import Mirrored
from meshproof.runtime.core.traffic.plans import PortPlan
from meshproof.runtime.core.traffic.sending import Order, Sending

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("open", "data", "end", "leave", "answer", "grpc", "begin", "more", "last", "fail", "time")),
        st.integers(0, 5),
        st.sampled_from(list(Failure)),
    ),
    max_size=60,
)


class _Stage:
    def __init__(self) -> None:
        plan = PortPlan("d", Limits(requests=3), Ejection(2, 1000, 50))
        self.clock = Clock()
        self.cluster = cluster(plan, endpoint(1), endpoint(2), endpoint(3))
        self.mirror = cluster(PortPlan("m", Limits(requests=1)), endpoint(9))
        self.order = Order(None, retry=retry(2, "reset", "5xx", "unavailable"), mirrored=Mirrored(self.mirror, None))
        self.asking: list[tuple[Sending, Caller]] = []
        self.ended: set[int] = set()
        self.over: set[int] = set()

    @property
    def streams(self) -> list[Stream]:
        both = (*self.cluster.endpoints, *self.mirror.endpoints)
        found = [stream for one in both for stream in getattr(one.upstream, "streams")]  # noqa: B009  it is of scenes
        return [one for one in found if id(one) not in self.over and not _is_reset(one)]

    def ask(self, step: str, number: int, failure: Failure) -> None:
        if step == "open":
            sending = Sending(self.cluster, self.order, record(head()), self.clock, draws(0.1, 0.7))
            caller = Caller()
            sending.open(head(("GET", "POST")[number % 2], is_end=number > 3), caller)
            if number > 3:
                self.ended.add(id(sending))
            self.asking.append((sending, caller))
            return
        open_ones = [one for one in self.asking if not _is_over(one[1])]
        if not open_ones:
            return
        sending, caller = open_ones[number % len(open_ones)]
        if step == "leave":
            sending.reset(failure)
            caller.heard.append("left")
        elif id(sending) not in self.ended:
            sending.data(b"x" * 30_000, is_end=step == "end")
            if step == "end":
                self.ended.add(id(sending))

    def serve(self, step: str, number: int, failure: Failure) -> None:
        known = self.streams
        if not known:
            return
        stream = known[number % len(known)]
        has_begun = "begun" in stream.said
        if step in {"answer", "grpc", "begin"} and not has_begun:
            stream.said.append("begun")
            if step != "begin":
                self.over.add(id(stream))
            fields = [(b"grpc-status", b"14")] if step == "grpc" else []
            stream.answer((200, 503)[number % 2], *fields, length=None if step == "begin" else 0)
        elif step in {"more", "last"} and has_begun:
            if step == "last":
                self.over.add(id(stream))
            stream.listener.data(b"y", is_end=step == "last")
        elif step == "fail":
            self.over.add(id(stream))
            stream.listener.reset(failure)


def _is_reset(stream: Stream) -> bool:
    return any(isinstance(one, Failure) for one in stream.said)


def _is_over(caller: Caller) -> bool:
    """Whether its answer has ended."""
    return any(isinstance(one, Failure) or one == "left" for one in caller.heard) or any(
        isinstance(one, tuple) and one[1] for one in caller.heard
    )


@given(STEPS)
def test_all_is_given_back(steps: list[tuple[str, int, Failure]]) -> None:
    stage = _Stage()
    for step, number, failure in steps:
        if step in {"open", "data", "end", "leave"}:
            stage.ask(step, number, failure)
        elif step == "time":
            stage.clock.pass_by((0.0, 0.01, 0.3, 1.5, 20.0, 60.0)[number])
        else:
            stage.serve(step, number, failure)
        assert stage.cluster.breaker.requests.count <= 3
        assert stage.mirror.breaker.requests.count <= 1
        assert len(stage.cluster.ejected) <= 1
        assert stage.cluster.budget.retries <= 3
    for sending, _ in stage.asking:
        sending.reset(Failure.CANCELLED)
    stage.clock.pass_by(60)
    for part in (stage.cluster, stage.mirror):
        assert part.breaker.requests.count == 0
        assert (part.budget.active, part.budget.retries, part.mirroring.active) == (0, 0, 0)
        assert [one.active for one in part.endpoints] == [0] * len(part.endpoints)
    assert not stage.clock.waiting
    for _, caller in stage.asking:
        statuses = [one for one in caller.heard if isinstance(one, int)]
        assert len(statuses) <= 1
        assert len([one for one in caller.heard if isinstance(one, Failure)]) <= 1
