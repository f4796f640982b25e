"""Where the destinations of rules lead for one sender: nodes of the mesh, or an answer of 503 where nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.routing import Target
from meshproof.targets.istio.lift.destination_rules import DestinationRules, Subset
from meshproof.targets.istio.lift.findings import UNKNOWN_WORKLOAD
from meshproof.targets.istio.lift.registry import End, KnownHost, Registry
from meshproof.targets.istio.lift.route_model import Sending
from meshproof.targets.istio.lift.route_settings import WHOLE
from meshproof.targets.istio.lift.senders import Sender
from meshproof.targets.istio.lift.workloads import Workload

NO_CLUSTER = 503


@dataclass(frozen=True, slots=True)
class Dialled:
    """What a request was sent to: a host, and the port that was dialled. None: the request goes through a gateway."""

    host: KnownHost | None
    port: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where one destination leads. `status` is what is answered, where nothing is: then targets only give a name."""

    targets: tuple[Target, ...]
    status: int | None = None


class Destinations:
    """Resolves destinations."""

    def __init__(self, registry: Registry, rules: DestinationRules) -> None:
        self.registry = registry
        self.rules = rules

    def arrivals(self, sendings: tuple[Sending, ...], sender: Sender, dialled: Dialled) -> tuple[Arrival, ...]:
        """Each destination with its share as a whole percentage."""
        shares = shares_of(tuple(one.weight for one in sendings))
        pairs = zip(sendings, shares, strict=True)
        return tuple(self.arrival(one, sender, dialled, share) for one, share in pairs)

    def bearing(self, sending: Sending, sender: Sender) -> tuple[int, int]:
        """Equal for two senders only if `arrival` is the same for both, if all else is equal.

        It reads nothing else of a sender than the host that it knows by the name, and what it has for the subsets.
        """
        host = self.registry.find(sending.host, sender.namespace)
        if host is None or sending.subset is None:
            return (id(host), 0)
        return (id(host), id(self.rules.policy(host.name, host.namespace, sender.namespace, sender.workload)))

    def arrival(self, sending: Sending, sender: Sender, dialled: Dialled, share: int) -> Arrival:
        """One destination, for a sender."""
        if sending.status is not None:
            return Arrival((), sending.status)
        host = self.registry.find(sending.host, sender.namespace)
        if host is None:
            port = sending.port or dialled.port
            found = self.registry.undeclared(sending.host, port, sending.origin, sending.host)
            label = f"{sending.host}:{port}" + (f" {sending.subset}" if sending.subset else "")
            return Arrival((Target(found.name, None, port, share, sending.origin, label),))
        port = sending.port or (host.ports[0].number if len(host.ports) == 1 else dialled.port)
        if host.ports and host.port(port) is None:
            self._report(f"requests are sent to port `{port}` of `{host.name}`, which it does not have", sending)
            return _nothing(host, port, sending, share)
        return self._at_host(host, port, sending, sender, dialled, share)

    def _at_host(
        self, host: KnownHost, port: int, sending: Sending, sender: Sender, dialled: Dialled, share: int
    ) -> Arrival:
        subset: Subset | None = None
        if sending.subset is not None:
            policy = self.rules.policy(host.name, host.namespace, sender.namespace, sender.workload)
            subset = policy.subset(sending.subset)
            if subset is None:
                message = f"no DestinationRule in force defines the subset `{sending.subset}` of `{host.name}`"
                self._report(message, sending)
                return _nothing(host, port, sending, share, is_called=_is_called(dialled, host))
        ends = host.ends(port)
        chosen = tuple(one for one in ends if subset is None or _is_of(one, subset))
        if not chosen:
            if subset is not None:
                self._report(f"no workload that is known is of the subset `{subset.name}` of `{host.name}`", sending)
            return _nothing(host, port, sending, share, is_called=_is_called(dialled, host))
        version = None if subset is None or host.external is not None else subset.name
        label = _label(host, chosen, sending.subset, is_called=_is_called(dialled, host))
        return Arrival(tuple(_targets(chosen, version, label, share, sending.origin)))

    def _report(self, message: str, sending: Sending) -> None:
        self.registry.context.findings.add(
            UNKNOWN_WORKLOAD, message, sending.host, sending.origin, advice="Istio answers 503 to what is sent there"
        )


def _is_called(dialled: Dialled, host: KnownHost) -> bool:
    return dialled.host is not None and dialled.host.name == host.name


def _nothing(host: KnownHost, port: int, sending: Sending, share: int, *, is_called: bool = False) -> Arrival:
    """A destination behind which there is nothing, under the name of what should be there."""
    external = host.external
    end = End(host.workloads[0].name, port, None) if external is None else host.ends(port)[0]
    node = end.node
    label = _label(host, (end,), sending.subset, is_called=is_called) or f"{host.label}:{port}"
    return Arrival((Target(node, None, end.port, share, sending.origin, label),), NO_CLUSTER)


def _is_of(end: End, subset: Subset) -> bool:
    """Whether the workload is of the version; of one that no file shows nobody knows more than its selector."""
    return end.workload is None or is_of_subset(end.workload, subset.name, subset.labels)


def is_of_subset(workload: Workload, name: str, labels: tuple[tuple[str, str], ...]) -> bool:
    """Whether pods of the workload are endpoints of a subset; of one that no file shows, whether they may be.

    The versions of a workload that is known from elsewhere are known too: the subset must be the one of its name.
    """
    if isinstance(workload.node, Service) and workload.node.versions:
        chosen = (one for one in workload.node.versions if _has_labels(workload, one, labels))
        return tuple(chosen) == (name,)
    if workload.has_labels(labels):
        return True
    known = dict(workload.labels)
    return workload.is_inferred and all(known.get(key, value) == value for key, value in labels)


def _has_labels(workload: Workload, version: str, labels: tuple[tuple[str, str], ...]) -> bool:
    """Whether the pods of a version have the labels: those of the workload, and that which names the version."""
    pods = {**dict(workload.labels), "version": version}
    return all(pods.get(key) == value for key, value in labels)


def _label(host: KnownHost, ends: tuple[End, ...], subset: str | None, *, is_called: bool) -> str | None:
    """The version where the called host has it, a name for all where several nodes are meant; else the node's own."""
    if is_called and subset is not None:
        return subset
    if subset is None and len(ends) == 1:
        return None
    address = f"{host.label}:{ends[0].port}"
    return address if subset is None else f"{address} {subset}"


def _targets(
    ends: tuple[End, ...], version: str | None, label: str | None, share: int, origin: Origin
) -> Iterator[Target]:
    for index, end in enumerate(ends):
        yield Target(end.node, version, end.port, share, origin, label, is_alternative=index > 0)


def shares_of(weights: tuple[int, ...]) -> tuple[int, ...]:
    """Weights as whole percentages that sum to a hundred: what has some weight keeps at least one percent."""
    total = sum(weights)
    if total == 0:
        return tuple(0 for _ in weights)
    shares = [max(1, weight * WHOLE // total) if weight else 0 for weight in weights]
    remainders = [(weight * WHOLE) % total for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
    missing = WHOLE - sum(shares)
    for index in order[: max(0, missing)]:
        shares[index] += 1
    while missing < 0:
        largest = max(range(len(shares)), key=lambda index: shares[index])
        shares[largest] -= 1
        missing += 1
    return tuple(shares)
