"""What the sender's proxy does with a request, by branch: what of it has to be the same for nothing to be rerouted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.ir.predicate import Always, Never, Predicate
from meshproof.compiler.ir.request import Request
from meshproof.compiler.ir.routing import Branch, Cors, Fault, HeaderEdit, Mirror, Redirect, Retry, Route, Target
from meshproof.compiler.semantics import route as routed
from meshproof.compiler.semantics.route import route_of
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.verify.rewrites import Kept, Rewrite, agreement, rewrite_of
from meshproof.compiler.verify.semantic_diff_values import Routing

_REFUSED, _REFUSED_BY_ENVOY = "refused", "refused-stream"
"""A stream that the server refused before it looked at the request: one reason, and two words."""

_ERRORS = 400


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens to what a branch takes: shares by destination as `ir.decision.RouteOutcome` names them, with the
    names of the new policy. With `is_moving` a controller moves the shares. `origin` is where the branch of `route` is.
    `is_plain`: what is sent arrives as it was sent, and nothing else is sent or answered besides. `is_implied`: nobody
    wrote it, proxies do that by default. `is_error`: it is answered by an error, and nothing else.
    """  # noqa: D205

    destinations: tuple[tuple[str, int], ...]
    is_moving: bool
    settings: tuple[str, ...]
    rewrite: Rewrite
    origin: Origin | None
    route: str = ""
    is_taken: bool = True
    is_plain: bool = True
    is_implied: bool = False
    is_error: bool = False

    @property
    def is_refusal(self) -> bool:
        """Whether nothing is done but that the sender gets an error."""
        return self.is_error or not self.is_taken

    @property
    def on_connection(self) -> Outcome:
        """The outcome for a connection that the branch takes: it has no path."""
        return self if self.rewrite == Kept() else replace(self, rewrite=Kept())

    def is_like(self, other: Outcome) -> bool:
        """Whether both do the same with a request, the path aside."""
        return self._shown() == other._shown()

    def is_default_of(self, other: Outcome) -> bool:
        """Whether both send to the same place, and what they do besides is what proxies of one side do by default."""
        return (self.is_implied or other.is_implied) and self.destinations == other.destinations

    def _shown(self) -> object:
        shares = tuple(sorted(name for name, _ in self.destinations)) if self.is_moving else self.destinations
        return (shares, self.is_moving, self.settings, self.is_taken)

    @property
    def routing(self) -> Routing:
        """The outcome for people."""
        if not self.is_taken:
            return Routing("no branch takes it")
        names = tuple(name for name, _ in self.destinations)
        shares = ", ".join(f"{name} {share}%" for name, share in self.destinations)
        text = names[0] if len(names) == 1 else ", ".join(names) if self.is_moving else shares
        return Routing(text or "answered by the proxy", (*self.settings, *_rewrite_text(self.rewrite)))


def routings(before: Outcome, after: Outcome) -> tuple[Routing, Routing]:
    """Both outcomes for people, without what they have in common."""
    was, now = before.routing, after.routing
    common = set(was.settings) & set(now.settings)
    is_elsewhere = was.destinations != now.destinations

    def told(one: Routing) -> Routing:
        settings = tuple(setting for setting in one.settings if setting not in common)
        return Routing(one.destinations if is_elsewhere else "", settings)

    return told(was), told(now)


NOT_TAKEN = Outcome((), is_moving=False, settings=(), rewrite=Kept(), origin=None, is_taken=False)
"""What becomes of a request that no branch takes."""


def outcomes_at(policy: PortPolicy, to_new: Mapping[NodeName, NodeName]) -> dict[str | None, Outcome]:
    """The outcome of each branch at a port, by name; under None of what no branch takes."""
    found: dict[str | None, Outcome] = {None: NOT_TAKEN}
    for route in (policy.route, policy.route_tcp):
        if route is not None:
            found[None] = replace(NOT_TAKEN, origin=route.origin, route=route.id)
            found.update((branch.id, _outcome(policy, route, branch, to_new)) for branch in route.branches)
    return found


def unrouted(policy: PortPolicy, to_new: Mapping[NodeName, NodeName]) -> Outcome:
    """What is done with a request where there is no route: it goes on as it is, but for one that came to a gateway."""
    if policy.is_gateway:
        return NOT_TAKEN
    name = to_new.get(policy.key.node, policy.key.node)
    return Outcome(((f"{name}:{policy.key.port}", 100),), is_moving=False, settings=(), rewrite=Kept(), origin=None)


def agreements(old: Mapping[str | None, Outcome], new: Mapping[str | None, Outcome]) -> Iterator[Predicate]:
    """The conditions that tell where two rewrites agree, for any pair of branches."""
    for one in old.values():
        for other in new.values():
            found = agreement(one.rewrite, other.rewrite)
            if found is not None and found not in {Always(), Never()}:
                yield found


def _outcome(policy: PortPolicy, route: Route, branch: Branch, to_new: Mapping[NodeName, NodeName]) -> Outcome:
    is_moving = route.weights_by is not None
    shares: dict[str, int] = {}
    for target in branch.targets:
        if target.is_alternative:
            continue
        name = _label(policy, target, to_new)
        shares[name] = shares.get(name, 0) + target.weight
    kept = sorted(item for item in shares.items() if item[1] or is_moving)
    settings = (*_settings(policy, branch, to_new), *_traffic(route))
    return Outcome(
        tuple(kept),
        is_moving,
        settings,
        Kept() if branch.redirect is not None or branch.answer is not None else rewrite_of(branch),
        branch.origin,
        route.id,
        is_plain=_is_plain(branch),
        is_implied=branch.is_implied,
        is_error=branch.answer is not None and branch.answer >= _ERRORS and len(settings) == 1,
    )


def _is_plain(branch: Branch) -> bool:
    mirror = branch.settings.mirror
    is_answered = branch.redirect is not None or branch.answer is not None
    return not branch.is_editing and not is_answered and (mirror is None or not mirror.percent)


def _label(policy: PortPolicy, target: Target, to_new: Mapping[NodeName, NodeName]) -> str:
    name = to_new.get(target.node, target.node)
    port = policy.key.port if target.port is None else target.port
    if target.label is not None:
        return _renamed(target.label, to_new)
    if target.version is None:
        return f"{name}:{port}"
    is_here = (target.node, port) == (policy.key.node, policy.key.port)
    return target.version if is_here else f"{name}:{port} {target.version}"


def _settings(policy: PortPolicy, branch: Branch, to_new: Mapping[NodeName, NodeName]) -> Iterator[str]:
    """What is done besides, as the language writes it."""
    settings = branch.settings
    if branch.redirect is not None:
        yield _redirect(branch.redirect)
    if branch.answer is not None:
        yield f"answer {branch.answer}"
    if settings.rewrite_host is not None:
        yield f"rewrite host {settings.rewrite_host}"
    is_sent = branch.redirect is None and branch.answer is None
    if is_sent and settings.timeout_ms is not None:
        yield f"timeout {_duration(settings.timeout_ms)}"
    if is_sent and settings.retry is not None:
        yield _retry(settings.retry)
    if settings.mirror is not None and settings.mirror.percent:
        yield f"mirror {_label(policy, settings.mirror.target, to_new)} {settings.mirror.percent}%"
    for edit in _by_header(settings.headers):
        yield f"{edit.action} header {edit.name}" + (f" {edit.value}" if edit.value else "")
    if settings.cors is not None:
        yield _cors(settings.cors)
    if settings.fault is not None:
        yield from _fault(settings.fault)


def _by_header(edits: tuple[HeaderEdit, ...]) -> tuple[HeaderEdit, ...]:
    """The edits by what they edit: only those of one header have an order."""
    return tuple(sorted(edits, key=lambda edit: edit.name.lower()))


def _cors(cors: Cors) -> str:
    lists = {"origins": cors.origins, "methods": cors.methods, "headers": cors.headers}
    said = [f"{name} {', '.join(sorted(values))}" for name, values in lists.items() if values]
    said += ["credentials"] if cors.allows_credentials else []
    said += [] if cors.max_age_ms is None else [f"max-age {_duration(cors.max_age_ms)}"]
    return " ".join(("cors", *said))


def _fault(fault: Fault) -> Iterator[str]:
    if fault.delay_ms is not None and fault.delay_percent:
        yield f"fault delay {_duration(fault.delay_ms)} {fault.delay_percent}%"
    if fault.abort_status is not None and fault.abort_percent:
        yield f"fault abort {fault.abort_status} {fault.abort_percent}%"


def _traffic(route: Route) -> Iterator[str]:
    """What holds for all that is sent to the destination, whatever branch takes it."""
    limits, ejection, balance = route.limits, route.ejection, route.balance
    if limits is not None:
        bounds = {"connections": limits.connections, "pending": limits.pending, "requests": limits.requests}
        yield "limit " + ", ".join(f"{name} {bound}" for name, bound in bounds.items() if bound is not None)
    if ejection is not None:
        yield f"eject after {ejection.errors} errors for {_duration(ejection.for_ms)} up to {ejection.percent}%"
    if balance is not None:
        yield f"balance {balance.kind}" + (f' header "{balance.header}"' if balance.header is not None else "")


def _redirect(redirect: Redirect) -> str:
    parts = {"scheme": redirect.scheme, "host": redirect.host, "port": redirect.port, "path": redirect.path}
    said = "".join(f" {name} {value}" for name, value in parts.items() if value is not None)
    return f"redirect {redirect.status}{said}{' for the prefix' if redirect.replaces_prefix else ''}"


def _retry(retry: Retry) -> str:
    within = "" if retry.within_ms is None else f" within {_duration(retry.within_ms)}"
    return f"retry {retry.attempts} on {', '.join(_reasons(retry))}{within}"


def _reasons(retry: Retry) -> tuple[str, ...]:
    """When requests are tried again, in the words of the language: lifted files have those of Envoy."""
    return tuple(sorted(_REFUSED if one == _REFUSED_BY_ENVOY else one for one in retry.conditions))


def _duration(milliseconds: int) -> str:
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"


def _rewrite_text(rewrite: Rewrite) -> tuple[str, ...]:
    match rewrite:
        case Kept():
            return ()
        case _:
            return (f"rewrite path {getattr(rewrite, 'path', None) or getattr(rewrite, 'base', None) or '/'}",)


def replayed_routing(mesh: Mesh, request: Request, day: date, to_new: Mapping[NodeName, NodeName]) -> object:
    """What the interpreter says is done with a request, in a form that can be compared across policies."""
    found = routed(mesh, request, day)
    chosen = route_of(mesh, request)
    if found is None or (chosen is None and isinstance(mesh.node(request.destination), Gateway)):
        return None
    is_moving = chosen is not None and chosen.weights_by is not None and found.branch is not None
    shares: dict[str, int] = {}
    for label, share in found.destinations:
        name = _renamed(label, to_new)
        shares[name] = shares.get(name, 0) + share
    kept = sorted(shares) if is_moving else sorted(item for item in shares.items() if item[1])
    is_answered = found.redirect is not None or found.answer is not None
    return (
        is_moving,
        tuple(kept),
        None if is_answered else found.timeout_ms,
        None if is_answered else found.retry and (found.retry.attempts, _reasons(found.retry), found.retry.within_ms),
        _replayed_mirror(found.mirror, request, to_new),
        _by_header(found.headers),
        found.redirect and _redirect(found.redirect),
        found.answer,
        found.rewrite_host,
        None if is_answered or found.path == request.path else found.path,
        *_replayed_besides(chosen, found.branch),
    )


def _replayed_besides(chosen: Route | None, taken: str | None) -> tuple[object, ...]:
    """What the interpreter's outcome leaves out, because no decision hangs on it."""
    if chosen is None:
        return ((None, ()), ())
    branch = next((one for one in chosen.branches if one.id == taken), None)
    settings = None if branch is None else branch.settings
    cors = settings and settings.cors and _cors(settings.cors)
    fault = tuple(_fault(settings.fault)) if settings is not None and settings.fault is not None else ()
    return ((cors, fault), tuple(_traffic(chosen)))


def _replayed_mirror(mirror: Mirror | None, request: Request, to_new: Mapping[NodeName, NodeName]) -> object:
    if mirror is None or not mirror.percent:
        return None
    target = mirror.target
    port = request.port if target.port is None else target.port
    return (to_new.get(target.node, target.node), target.version, port, mirror.percent)


def _renamed(label: str, to_new: Mapping[NodeName, NodeName]) -> str:
    head, colon, tail = label.partition(":")
    return f"{to_new.get(NodeName(head), head)}{colon}{tail}" if colon else label
