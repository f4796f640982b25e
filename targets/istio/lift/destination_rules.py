"""DestinationRule objects: which versions a host has, and what a client does with connections to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.routing import Balance, BalanceKind, Ejection, Limits
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.durations import milliseconds
from meshproof.targets.istio.lift.hosts import (
    ByHost,
    Exports,
    closeness,
    default_exports,
    exports_of,
    full_host,
)
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.values import EMPTY, mapping, mappings, number, origin_of, pairs, text
from meshproof.targets.istio.lift.workloads import Workload

_EJECTION_MS = 30_000
_EJECTION_PERCENT = 10
_EJECTION_ERRORS = 5


class ClientTls(StrEnum):
    """What a client does about TLS. `AUTO`: mTLS wherever the server takes it."""

    AUTO = "AUTO"
    DISABLE = "DISABLE"
    SIMPLE = "SIMPLE"
    MUTUAL = "MUTUAL"
    ISTIO_MUTUAL = "ISTIO_MUTUAL"

    @property
    def has_identity(self) -> bool:
        """Whether a server of the mesh learns who calls."""
        return self in {ClientTls.AUTO, ClientTls.ISTIO_MUTUAL}


@dataclass(frozen=True, slots=True)
class Subset:
    """A version of a host: the pods with these labels."""

    name: str
    labels: tuple[tuple[str, str], ...]
    policy: MapNode
    origin: Origin


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """What a client has for one host: the rules of one place, the most specific of them, merged."""

    subsets: tuple[Subset, ...]
    policy: MapNode

    def subset(self, name: str) -> Subset | None:
        """The version of that name."""
        return next((one for one in self.subsets if one.name == name), None)

    def section(self, name: str, port: int, subset: str | None) -> MapNode:
        """A section (`tls`, `connectionPool` …) that holds for a port and a version.

        Settings of a port replace those of the level, and a section that they leave out is at its default. The
        sections of a version come before those of the host.
        """
        version = None if subset is None else self.subset(subset)
        for level in ((version.policy,) if version is not None else ()) + (self.policy,):
            of_port = next((one for one in mappings(level.get("portLevelSettings")) if _is_for(one, port)), None)
            if of_port is not None:
                return mapping(of_port.get(name))
            found = level.get(name)
            if isinstance(found, MapNode):
                return found
        return EMPTY

    def tls(self, port: int, subset: str | None) -> ClientTls:
        """What the client does about TLS."""
        mode = text(self.section("tls", port, subset).get("mode"))
        return ClientTls(mode) if mode in set(ClientTls) else ClientTls.AUTO


NOTHING = HostPolicy((), EMPTY)


@dataclass(frozen=True, slots=True)
class _Rule:
    source: KubeObject
    host: str
    exports: Exports
    client_labels: tuple[tuple[str, str], ...]


class DestinationRules:
    """All rules, for looking up what a client has for a host."""

    def __init__(self, context: LiftContext) -> None:
        self._root = context.settings.root_namespace
        default = default_exports(context.settings.config.get("defaultDestinationRuleExportTo"))
        domain = context.services.cluster_domain
        objects = sorted(context.objects.of(Kind.DESTINATION_RULE), key=lambda one: one.age_key)
        self.rules = tuple(
            _Rule(
                source=one,
                host=full_host(text(one.spec.get("host")) or "", one.namespace, domain),
                exports=exports_of(one.spec.get("exportTo"), one.namespace, default),
                client_labels=pairs(one.spec.at("workloadSelector", "matchLabels")),
            )
            for one in objects
        )
        by_place: dict[str, list[_Rule]] = {}
        for rule in self.rules:
            by_place.setdefault(rule.source.namespace, []).append(rule)
        self._by_place = {place: ByHost((one, (one.host,)) for one in found) for place, found in by_place.items()}
        self._merged: dict[tuple[int, ...], HostPolicy] = {}

    def policy(self, host: str, host_namespace: str, client: str, workload: Workload | None = None) -> HostPolicy:
        """What a client in a namespace has for a host.

        The first of three places that has any rule for the host decides alone: the client's namespace, the host's,
        the root namespace. There the most specific host wins, and rules for the same host are merged. Clients for whom
        the same rules decide get the very same object.
        """
        for place in dict.fromkeys((client, host_namespace, self._root)):
            of_place = self._by_place.get(place)
            if of_place is None:
                continue
            found = [one for one in of_place.covering(host) if place == client or one.exports.reach(client)]
            found = [one for one in found if _is_for_client(one, place, client, workload)]
            if found:
                closest = min((one.host for one in found), key=closeness)
                return self._made_of([one for one in found if one.host == closest])
        return NOTHING

    def _made_of(self, rules: list[_Rule]) -> HostPolicy:
        key = tuple(map(id, rules))
        if key not in self._merged:
            self._merged[key] = _merged(rules)
        return self._merged[key]


def _is_for_client(rule: _Rule, place: str, client: str, workload: Workload | None) -> bool:
    if not rule.client_labels:
        return True
    return place == client and workload is not None and workload.has_labels(rule.client_labels)


def _merged(rules: list[_Rule]) -> HostPolicy:
    """Rules for one workload come before rules for all; then the oldest has the first word, but all have subsets."""
    special = [one for one in rules if one.client_labels]
    chosen = special[:1] or rules
    subsets: dict[str, Subset] = {}
    for rule in chosen:
        for one in mappings(rule.source.spec.get("subsets")):
            name = text(one.get("name")) or ""
            policy = mapping(one.get("trafficPolicy"))
            subsets.setdefault(name, Subset(name, pairs(one.get("labels")), policy, origin_of(one)))
    policies = (rule.source.spec.get("trafficPolicy") for rule in chosen)
    return HostPolicy(tuple(subsets.values()), next((one for one in policies if isinstance(one, MapNode)), EMPTY))


def _is_for(settings: MapNode, port: int) -> bool:
    return number(settings.at("port", "number")) == port


def limits_of(policy: HostPolicy, port: int) -> Limits | None:
    """The bounds of the connection pool, None where there are none."""
    pool = policy.section("connectionPool", port, None)
    found = Limits(
        connections=number(pool.at("tcp", "maxConnections")),
        pending=number(pool.at("http", "http1MaxPendingRequests")),
        requests=number(pool.at("http", "http2MaxRequests")),
    )
    return None if found == Limits() else found


def ejection_of(policy: HostPolicy, port: int) -> Ejection | None:
    """The outlier detection by errors in a row, None without it."""
    section = policy.section("outlierDetection", port, None)
    if not section.entries:
        return None
    errors = number(section.get("consecutive5xxErrors"))
    if errors is None:
        errors = number(section.get("consecutiveErrors"))
    gateway_errors = number(section.get("consecutiveGatewayErrors")) or 0
    errors = gateway_errors or _EJECTION_ERRORS if errors is None else errors or gateway_errors
    if errors == 0:
        return None
    time = milliseconds(text(section.get("baseEjectionTime")) or "")
    percent = number(section.get("maxEjectionPercent"))
    return Ejection(
        errors,
        _EJECTION_MS if time is None else time,
        percent or _EJECTION_PERCENT,
    )


def balance_of(policy: HostPolicy, port: int) -> Balance | None:
    """How an endpoint is chosen, None where it is not said."""
    section = policy.section("loadBalancer", port, None)
    if isinstance(hashed := section.get("consistentHash"), MapNode):
        return Balance(BalanceKind.HASH, text(hashed.get("httpHeaderName")))
    match text(section.get("simple")):
        case "ROUND_ROBIN":
            return Balance(BalanceKind.ROUND_ROBIN)
        case "LEAST_REQUEST" | "LEAST_CONN":
            return Balance(BalanceKind.LEAST_REQUEST)
        case _:
            return None
