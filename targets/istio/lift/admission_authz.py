"""What Istio's webhook refuses in an AuthorizationPolicy (ValidateAuthorizationPolicy)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from ipaddress import ip_address, ip_network

from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.compiler.patterns.template import is_template, parse_template
from meshproof.dsl.source import Span
from meshproof.targets.common.tree import Leaf, MapNode
from meshproof.targets.istio.lift.conditions import (
    ADDRESS_KEYS,
    IDENTITY_KEYS,
    SOURCE_ACCOUNT,
    SOURCE_TRUST_DOMAIN,
    is_known,
)
from meshproof.targets.istio.lift.structure import Fault
from meshproof.targets.istio.lift.values import Text, items, mapping, mappings, text, texts

TARGET_KINDS = frozenset(
    (
        ("", "Service"),
        ("core", "Service"),
        ("networking.istio.io", "ServiceEntry"),
        ("gateway.networking.k8s.io", "Gateway"),
        ("gateway.networking.k8s.io", "GatewayClass"),
    )
)
_LAST_PORT = 65535
_LONGEST_ACCOUNT = 320
_PREFIX_LENGTH = re.compile(r"0|[1-9][0-9]*")
_IDENTITY_FIELDS = ("principals", "namespaces", "serviceAccounts", "trustDomains", "requestPrincipals")


def policy_faults(spec: MapNode) -> Iterator[Fault]:
    """Everything that the webhook refuses, given that the schema takes the policy."""
    action = text(spec.get("action")) or "ALLOW"
    yield from _action_faults(spec, action)
    yield from target_faults(spec)
    for index, rule in enumerate(items(spec.get("rules"))):
        if isinstance(rule, MapNode):
            yield from _rule_faults(rule, f"spec.rules[{index}]", is_custom=action == "CUSTOM")


def _action_faults(spec: MapNode, action: str) -> Iterator[Fault]:
    has_rules = bool(items(spec.get("rules")))
    provider = spec.get("provider")
    if action in {"DENY", "CUSTOM"} and not has_rules:
        yield Fault("spec", spec.span, f"has no `rules`, so the {action} never happens")
    if action == "CUSTOM" and text(mapping(provider).get("name")) is None:
        yield Fault("spec", spec.span, "has no `provider.name`, which CUSTOM needs")
    if action != "CUSTOM" and provider is not None:
        yield Fault("spec.provider", provider.span, f"is for CUSTOM alone, not for {action}")


def target_faults(spec: MapNode) -> Iterator[Fault]:
    """What is refused of the objects that a policy is attached to."""
    single = spec.get("targetRef")
    targets = [("spec.targetRef", single)] if isinstance(single, MapNode) else []
    targets += [(f"spec.targetRefs[{index}]", one) for index, one in enumerate(mappings(spec.get("targetRefs")))]
    for path, target in targets:
        if (text(target.get("group")) or "", text(target.get("kind")) or "") not in TARGET_KINDS:
            message = "is no Service, ServiceEntry, Gateway or GatewayClass"
            yield Fault(path, target.span, message)
        if text(target.get("namespace")) is not None:
            yield Fault(f"{path}.namespace", target.span, "must be empty")


def _rule_faults(rule: MapNode, path: str, *, is_custom: bool) -> Iterator[Fault]:
    # An empty list is no list: the rule is about everyone, or everything.
    for list_name, part_name, check in (("from", "source", _source_faults), ("to", "operation", _operation_faults)):
        for index, one in enumerate(mappings(rule.get(list_name))):
            place = f"{path}.{list_name}[{index}].{part_name}"
            part = one.get(part_name)
            if not isinstance(part, MapNode) or not any(items(entry.value) for entry in part.entries):
                yield Fault(place, one.span, "is empty")
                continue
            yield from _empty_strings(part, place)
            yield from check(part, place)
            if is_custom and part_name == "source":
                yield from _custom_source_faults(part, place)
    for index, condition in enumerate(mappings(rule.get("when"))):
        yield from _condition_faults(condition, f"{path}.when[{index}]", is_custom=is_custom)


def _empty_strings(part: MapNode, path: str) -> Iterator[Fault]:
    for entry in part.entries:
        for one in items(entry.value):
            if isinstance(one, Leaf) and one.value == "":
                yield Fault(f"{path}.{entry.key}", one.span, "holds an empty string")


def _source_faults(source: MapNode, path: str) -> Iterator[Fault]:
    for name in ("ipBlocks", "remoteIpBlocks"):
        yield from _each(source, name, path, is_address, "is no IP address and no address block")
    yield from _each(source, "serviceAccounts", path, _is_account, "is neither `ACCOUNT` nor `NAMESPACE/ACCOUNT`")
    yield from _each(
        source, "trustDomains", path, _is_trust_domain, "is no trust domain, with one `*` at most at an end"
    )
    has_accounts = any(source.entry(name) is not None for name in ("serviceAccounts", "notServiceAccounts"))
    others = ("principals", "notPrincipals", "namespaces", "notNamespaces")
    if has_accounts and (other := next((name for name in others if source.entry(name) is not None), None)):
        yield Fault(path, source.span, f"has service accounts and `{other}`")


def _operation_faults(operation: MapNode, path: str) -> Iterator[Fault]:
    yield from _each(operation, "ports", path, is_port, "is no port")
    yield from _each(operation, "paths", path, is_path, "is no path template that Istio takes")


def _custom_source_faults(source: MapNode, path: str) -> Iterator[Fault]:
    for name in _IDENTITY_FIELDS:
        for field in (name, _negated(name)):
            if (entry := source.entry(field)) is not None:
                yield Fault(f"{path}.{field}", entry.key_span, "is not known yet when an external authorizer is asked")


def _condition_faults(condition: MapNode, path: str, *, is_custom: bool) -> Iterator[Fault]:
    key = text(condition.get("key")) or ""
    values = (*texts(condition.get("values")), *texts(condition.get("notValues")))
    span = condition.span if (entry := condition.entry("key")) is None else entry.value.span
    if not is_known(key):
        yield Fault(f"{path}.key", span, f"is `{key}`, which is no attribute that Istio knows")
        return
    if not values:
        yield Fault(path, condition.span, "has neither `values` nor `notValues`")
    if is_custom and (key in IDENTITY_KEYS or key.startswith("request.auth.")):
        yield Fault(f"{path}.key", span, "is not known yet when an external authorizer is asked")
    for one in values:
        if not one.value:
            yield Fault(path, one.origin.span, "holds an empty string")
        elif (reason := _value_fault(key, one.value)) is not None:
            yield Fault(path, one.origin.span, f"has `{one.value}`, which {reason}")


def _value_fault(key: str, value: str) -> str | None:
    if key in ADDRESS_KEYS and not is_address(value):
        return "is no IP address and no address block"
    if key == "destination.port" and not is_port(value):
        return "is no port"
    if key == SOURCE_ACCOUNT and not _is_account(value):
        return "is neither `ACCOUNT` nor `NAMESPACE/ACCOUNT`"
    if key == SOURCE_TRUST_DOMAIN and not _has_one_star(value):
        return "has a `*` that is not at an end, or more than one"
    return None


def _each(part: MapNode, name: str, path: str, is_good: Callable[[str], bool], reason: str) -> Iterator[Fault]:
    for field in (name, _negated(name)):
        found = part.get(field)
        for one in () if found is None else texts(found):
            if one.value and not is_good(one.value):
                yield Fault(f"{path}.{field}", _span(one), f"has `{one.value}`, which {reason}")


def _span(one: Text) -> Span:
    return one.origin.span


@cache
def _negated(name: str) -> str:
    return f"not{name[0].upper()}{name[1:]}"


def is_address(value: str) -> bool:
    """Whether the value is an IP address or a block of them, with a plain number after the slash."""
    _, slash, length = value.partition("/")
    if slash and _PREFIX_LENGTH.fullmatch(length) is None:
        return False
    try:
        if "/" in value:
            ip_network(value, strict=False)
        else:
            ip_address(value)
    except ValueError:
        return False
    return "%" not in value


def is_port(value: str) -> bool:
    """Whether the value is a port in decimal digits."""
    return value.isascii() and value.isdecimal() and int(value) <= _LAST_PORT


def is_path(value: str) -> bool:
    """Whether Istio takes the value as a path: a template has a form, and braces are for templates alone."""
    if not is_template(value):
        return "{" not in value and "}" not in value
    try:
        parse_template(value)
    except PatternRefused:
        return False
    return True


def _is_account(value: str) -> bool:
    parts = value.split("/")
    return "*" not in value and len(value) <= _LONGEST_ACCOUNT and len(parts) <= 2 and all(parts)  # noqa: PLR2004  both


def _is_trust_domain(value: str) -> bool:
    return "/" not in value and _has_one_star(value)


def _has_one_star(value: str) -> bool:
    return "*" not in value[1:-1] and value.count("*") <= 1
