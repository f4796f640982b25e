"""Rules about addresses of clients where it is a proxy that connects."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import PROXIED_ADDRESS
from meshproof.targets.istio.lift.in_force import in_force_at
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.notices.naming import named
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.proxy_annotations import trusted_proxies
from meshproof.targets.istio.lift.values import Text, mapping, mappings, text, texts
from meshproof.targets.istio.lift.workloads import Role, Workload

_OF_PEER = frozenset(("ipBlocks", "notIpBlocks", "source.ip"))
_OF_CLIENT = frozenset(("remoteIpBlocks", "notRemoteIpBlocks", "remote.ip"))
_PUBLISHED = frozenset(("LoadBalancer", "NodePort"))
_Odd = tuple[str, str]
"""What is odd about a field at some workloads, and what to do about it."""


def notice_client_addresses(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """A finding for each policy and each of its fields."""
    for policy in context.objects.of(Kind.AUTHORIZATION_POLICY):
        fields: dict[str, list[Text]] = {}
        for field, value in () if policy in refused else _addresses(policy):
            fields.setdefault(field, []).append(value)
        found = in_force_at(policy, context) if fields else ()
        for field, values in fields.items():
            for what, advice in _odd(field, values, found, context):
                message = f"`{field}` in AuthorizationPolicy `{policy.full_name}` {what}"
                context.findings.add(PROXIED_ADDRESS, message, policy.full_name, values[0].origin, advice=advice)


def _addresses(policy: KubeObject) -> Iterator[tuple[str, Text]]:
    """The addresses that the policy's rules compare, with the field that each stands in."""
    for rule in mappings(policy.spec.get("rules")):
        for source in (mapping(one.get("source")) for one in mappings(rule.get("from"))):
            for entry in source.entries:
                if entry.key in _OF_PEER | _OF_CLIENT:
                    yield from ((entry.key, value) for value in texts(entry.value))
        for condition in mappings(rule.get("when")):
            key = text(condition.get("key")) or ""
            if key in _OF_PEER | _OF_CLIENT:
                for name in ("values", "notValues"):
                    yield from ((key, value) for value in texts(condition.get(name)))


def _odd(field: str, values: list[Text], found: tuple[Workload, ...], context: LiftContext) -> Iterator[_Odd]:
    gateways = [one for one in found if one.role is Role.GATEWAY]
    behind = [one for one in gateways if trusted_proxies(one, context.settings.trusted_proxies)]
    direct = [one for one in gateways if one not in behind and _is_balanced(one)]
    if field in _OF_PEER and behind:
        yield (
            f"compares the proxy that stands before {_names(behind)}, not the client: `numTrustedProxies` is set",
            f"write `{_of_client(field)}`",
        )
    if direct:
        what = f"may compare a node of the cluster at {_names(direct)}, not the client: traffic from outside passes one"
        yield (
            what,
            "set `externalTrafficPolicy: Local`, or `numTrustedProxies` where a proxy writes `x-forwarded-for`",
        )
    sidecars = [one for one in found if one.role is Role.SIDECAR]
    if field in _OF_PEER and sidecars and all(_is_public(value.value) for value in values):
        yield (
            f"compares the pod that calls {_names(sidecars)}, such as a gateway, and never the client behind it",
            "put the rule at the gateway, and say there who may call",
        )


def _names(workloads: list[Workload]) -> str:
    return named(one.name for one in workloads)


def _of_client(field: str) -> str:
    renamed = {"ipBlocks": "remoteIpBlocks", "notIpBlocks": "notRemoteIpBlocks"}
    return renamed.get(field, "remote.ip")


def _is_balanced(gateway: Workload) -> bool:
    """Whether what comes from outside passes a node that puts its own address in the client's place."""
    specs = [service.source.spec for service in gateway.services]
    outer = [spec for spec in specs if text(spec.get("type")) in _PUBLISHED]
    return bool(outer) and all(text(spec.get("externalTrafficPolicy")) != "Local" for spec in outer)


def _is_public(value: str) -> bool:
    """Whether the addresses are ones that no pod has."""
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen > 0 and network.is_global
