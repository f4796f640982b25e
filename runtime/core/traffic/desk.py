"""Where the requests of the own workload to one destination go: judged if it is outside, routed, sent or answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from meshproof.compiler.ir.decision import RouteOutcome
from meshproof.compiler.ir.entities import External, Gateway
from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.core.messages import Answer, Forward, Record, RequestHead, Respond, Tracer
from meshproof.runtime.core.traffic.authorities import named_authority
from meshproof.runtime.core.traffic.balance import Draw
from meshproof.runtime.core.traffic.clusters import Cluster
from meshproof.runtime.core.traffic.copying import Mirrored
from meshproof.runtime.core.traffic.faults import trouble
from meshproof.runtime.core.traffic.flags import Flag
from meshproof.runtime.core.traffic.fleet import Fleet
from meshproof.runtime.core.traffic.plans import BranchPlan, Place, Plans
from meshproof.runtime.core.traffic.redirects import location
from meshproof.runtime.core.traffic.sending import Order, Sending
from meshproof.runtime.core.traffic.shares import is_hit
from meshproof.runtime.core.traffic.timers import Timers
from meshproof.runtime.engine.connection import Connection
from meshproof.runtime.engine.engine import Engine
from meshproof.runtime.engine.errors import EngineError
from meshproof.runtime.engine.facts import Incoming, Wire
from meshproof.runtime.engine.paths import normal_path, query_of
from meshproof.runtime.engine.text import told

_PLAIN = ((b"content-type", b"text/plain"),)
NO_ROUTE = Respond(404, b"no route takes this request", _PLAIN, Flag.NO_ROUTE)
NO_HEALTHY = Respond(503, b"no endpoint can be used", _PLAIN, Flag.NO_HEALTHY)
REFUSED = Respond(403, b"the policy refuses this request", _PLAIN, Flag.DENIED)
UNDECIDED = Respond(403, b"there is no decision about this request", _PLAIN, Flag.DENIED)


@dataclass(frozen=True, slots=True)
class RoutedPolicy:
    """A policy as a desk goes by it: `own` is the identity that calls, `digest` is for records, and so are `audits`."""

    engine: Engine
    plans: Plans
    digest: str
    own: str
    audits: Engine | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a desk is handed: where everybody is, the clock, the day, chance, and what continues traces."""

    fleet: Fleet
    timers: Timers
    draw: Draw
    today: Callable[[], date]
    tracer: Tracer | None = None


class OutboundDesk:
    """The desk of one listener: whoever connects there is the own workload. Policies are swapped between requests."""

    __slots__ = (
        "_around",
        "_connection",
        "_host",
        "_is_external",
        "_is_gateway",
        "_node",
        "_policy",
        "_port",
        "_read",
        "_since",
    )

    def __init__(self, node: NodeName, port: int, policy: RoutedPolicy, around: Surroundings) -> None:
        self._node = node
        self._port = port
        self._around = around
        self.adopt(policy)

    def adopt(self, policy: RoutedPolicy) -> None:
        """Go by this policy from the next request on."""
        plans = policy.plans
        node = plans.node(self._node)
        self._policy = policy
        self._connection: Connection | None = None
        self._since = date.min
        self._host = plans.host(self._node)
        self._read = plans.headers(self._node, self._port)
        self._is_external = isinstance(node, External)
        self._is_gateway = isinstance(node, Gateway)

    def answer(self, head: RequestHead, record: Record, later: Callable[[Answer], None]) -> Answer | None:
        """What is done with a request; see `Desk`."""
        record.policy = self._policy.digest
        record.destination = self._node
        head.authority = named_authority(head.authority, self._host)
        if self._around.tracer is not None:
            self._around.tracer(head, record)
        try:
            outcome = self._outcome(head, record)
        except EngineError:
            return UNDECIDED
        if isinstance(outcome, Respond):
            return outcome
        plan = self._policy.plans.branch(outcome.branch, self._node, self._port)
        return self._answered(plan, outcome, head, record, later)

    def _outcome(self, head: RequestHead, record: Record) -> RouteOutcome | Respond:
        """The routing step; before it, at an external, the decision. Raises an `EngineError`."""
        connection = self._connected()
        incoming = Incoming(head.method, head.target, head.authority or None, self._headers(head))
        if self._is_external:
            record.decision = decision = connection.decide(incoming)
            record.audited = self._audited(incoming)
            if not decision.is_allowed:
                return REFUSED
        if self._is_gateway:  # the route of a gateway is its own: it is taken there
            return RouteOutcome(None, (), None, None, None, None) if normal_path(head.target) else NO_ROUTE
        return connection.route(incoming) or NO_ROUTE

    def _answered(
        self,
        plan: BranchPlan,
        outcome: RouteOutcome,
        head: RequestHead,
        record: Record,
        later: Callable[[Answer], None],
    ) -> Answer | None:
        path = normal_path(head.target) or ""
        query = query_of(head.target)
        if plan.cors is not None and (told := plan.cors.preflight(head.method, tuple(head.fields))) is not None:
            return Respond(200, b"", told)
        if plan.redirect is not None or plan.shares is None:
            return _redirected(plan, path, query)
        answer: Answer = self._forward(
            plan, outcome.path or (path if query is None else f"{path}?{query}"), head, record
        )
        if plan.fault is None:
            return answer
        draw = self._around.draw
        fallen = trouble(plan.fault, draw(), draw())
        if fallen.status is not None:
            answer = Respond(fallen.status, b"this fault was asked for", _PLAIN, Flag.FAULT_INJECTED)
        if not fallen.delay_seconds:
            return answer
        record.flags = Flag.DELAY_INJECTED
        self._around.timers.call_later(fallen.delay_seconds, lambda: later(answer))
        return None

    def _forward(self, plan: BranchPlan, target: str, head: RequestHead, record: Record) -> Answer:
        """The request as its endpoints get it, and how it is sent."""
        around = self._around
        assert plan.shares is not None, "a redirect sends nothing on"
        place = plan.shares.at(around.draw())
        cluster = around.fleet.cluster(place.node, place.port)
        record.destination = place.node
        if not cluster.is_usable(place.version, around.timers.time()):
            return NO_HEALTHY
        origin = None if plan.cors is None else plan.cors.origin(tuple(head.fields))
        head.target = target
        if plan.edits is not None:
            head.fields = list(plan.edits(tuple(head.fields)))
        order = Order(
            version=place.version,
            key=_key(cluster, head),
            retry=plan.retry,
            mirrored=self._mirrored(plan, head),
            cors=None if plan.cors is None or origin is None else (plan.cors, origin),
        )
        return Forward(Sending(cluster, order, record, around.timers, around.draw), head, plan.timeout)

    def _mirrored(self, plan: BranchPlan, head: RequestHead) -> Mirrored | None:
        if plan.mirror is None or not is_hit(plan.mirror[1], self._around.draw()):
            return None
        place: Place = plan.mirror[0]
        cluster = self._around.fleet.cluster(place.node, place.port)
        return Mirrored(cluster, place.version, _key(cluster, head))

    def _connected(self) -> Connection:
        """All that the policy says of the own workload and this destination, on this day. Raises an `EngineError`."""
        today = self._around.today()
        found = self._connection
        if found is None or (found.last_day is not None and found.last_day < today) or today < self._since:
            place = (self._node, self._port)
            policy = self._policy
            own = policy.plans.sent_as(policy.own, *place, today)
            found = self._connection = policy.engine.connect(Wire(), own, place, today)
            self._since = today
        return found

    def _audited(self, incoming: Incoming) -> tuple[str, ...]:
        audits = self._policy.audits
        if audits is None:
            return ()
        place = (self._node, self._port)
        return audits.connect(Wire(), self._policy.own, place, self._around.today()).decide(incoming).determined_by

    def _headers(self, head: RequestHead) -> tuple[tuple[str, str], ...]:
        """Those that are read. Raises `MalformedRequestError` for one that is not UTF-8."""
        read = self._read
        if not read:
            return ()
        return tuple((name.decode("ascii"), told(value)) for name, value in head.fields if name in read)


def _key(cluster: Cluster, head: RequestHead) -> bytes | None:
    """What a hash goes by: the first line of the header."""
    header = cluster.hashed_header
    return None if header is None else next((value for name, value in head.fields if name == header), None)


def _redirected(plan: BranchPlan, path: str, query: str | None) -> Respond:
    assert plan.redirect is not None, "a branch sends something on, or it is a redirect"
    where = location(plan.redirect, plan.path, path, query)
    if where is None:
        return NO_ROUTE
    return Respond(plan.redirect.status, b"", ((b"location", where.encode("ascii")),))
