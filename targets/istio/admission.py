"""Istio's admission rules, written by hand from the CEL expressions of its custom resource definitions.

Where a rule stands comes from the generated `schemas/cel.json`; what it means is here, keyed by its expression. A test
holds that the two name the same expressions, so a new release of Istio cannot add one unseen. An expression that CEL
fails to evaluate (a duration that is none) is a violation, as it is for the API server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Check = Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL rule: `path` leads to the values that it is about, `[]` through lists and `{}` through maps."""

    path: tuple[str, ...]
    expression: str
    message: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A value that a rule refuses."""

    path: str
    message: str


def violations(document: object, rules: Sequence[Rule]) -> tuple[Violation, ...]:
    """Every value of the object that one of the rules refuses."""
    return tuple(
        Violation(path, rule.message)
        for rule in rules
        for path, value in _at(document, rule.path, "")
        if not IMPLEMENTED[rule.expression](value)
    )


def _at(value: object, steps: tuple[str, ...], path: str) -> Iterator[tuple[str, object]]:
    if not steps:
        yield path, value
        return
    step, rest = steps[0], steps[1:]
    if step == "[]":
        for index, item in enumerate(_list(value)):
            yield from _at(item, rest, f"{path}[{index}]")
    elif step == "{}":
        for key, item in _map(value).items():
            yield from _at(item, rest, f"{path}.{key}")
    elif step in _map(value):
        yield from _at(_map(value)[step], rest, f"{path}.{step}" if path else step)


def _map(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _at_most_one(*fields: str) -> Check:
    return lambda value: sum(field in _map(value) for field in fields) <= 1


def _excludes_service_accounts(value: object) -> bool:
    source = _map(value)
    if "serviceAccounts" not in source and "notServiceAccounts" not in source:
        return True
    return not any(field in source for field in ("principals", "notPrincipals", "namespaces", "notNamespaces"))


_UNITS_NS = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"([-+]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+|0)", re.ASCII)
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)", re.ASCII)


def _is_duration(value: object) -> bool:
    """Go's `time.ParseDuration`, at least a millisecond."""
    match = _DURATION.fullmatch(_text(value))
    if match is None or match[1] == "-":
        return False
    return sum(float(number) * _UNITS_NS[unit] for number, unit in _PART.findall(match[2])) >= _UNITS_NS["ms"]


def _is_port(value: object) -> bool:
    return isinstance(value, int) and 0 < value < 1 << 16


def _are_port_keys(value: object) -> bool:
    return all(re.fullmatch(r"[-+]?[0-9]+", key) is not None and _is_port(int(key)) for key in _map(value))


def _are_port_names(value: object) -> bool:
    name = re.compile(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
    return all(len(key) < 63 and name.fullmatch(key) is not None for key in _map(value))  # noqa: PLR2004


def _are_port_numbers_unique(value: object) -> bool:
    numbers = [_map(item).get("number") for item in _list(value)]
    return len(numbers) == len(set(numbers))


def _has_selector_for_ports(value: object) -> bool:
    spec = _map(value)
    return "portLevelMtls" not in spec or bool(_map(_map(spec.get("selector")).get("matchLabels")))


def _is_web_url(value: object) -> bool:
    try:
        return urlsplit(_text(value)).scheme in {"http", "https"}
    except ValueError:
        return False


def _has_address(value: object) -> bool:
    return "address" in _map(value) or "network" in _map(value)


def _resolution(value: object, default: str) -> str:
    return _text(_map(value).get("resolution", default))


def _cidr_only_without_dns(value: object) -> bool:
    has_cidr = any("/" in _text(address) for address in _list(_map(value).get("addresses")))
    return not has_cidr or _resolution(value, "NONE") in {"STATIC", "NONE"}


def _none_has_no_endpoints(value: object) -> bool:
    return _resolution(value, "NONE") != "NONE" or "endpoints" not in _map(value)


def _round_robin_has_one_endpoint(value: object) -> bool:
    return _resolution(value, "") != "DNS_ROUND_ROBIN" or len(_list(_map(value).get("endpoints"))) <= 1


def _is_socket_a_file(value: object) -> bool:
    return not (_text(value).startswith("unix://") and _text(value).endswith("/"))


def _is_socket_absolute(value: object) -> bool:
    return not _text(value).startswith("unix://") or _text(value)[7:8] in {"/", "@"}


def _has_socket_no_ports(value: object) -> bool:
    return not _text(_map(value).get("address", "")).startswith("unix://") or "ports" not in _map(value)


def _has_no_star(value: object) -> bool:
    return "*" not in _text(value)


IMPLEMENTED: Mapping[str, Check] = {
    "has(self.address) || has(self.network)": _has_address,
    '!((has(self.addresses) ? self.addresses : []).exists(k, k.contains("/")) && '
    '!((has(self.resolution) ? self.resolution : "NONE") in ["STATIC", "NONE"]))': _cidr_only_without_dns,
    "(has(self.serviceAccounts) || has(self.notServiceAccounts)) ? (!has(self.principals) &&\n"
    "!has(self.notPrincipals) && !has(self.namespaces) && !has(self.notNamespaces)) : true": _excludes_service_accounts,
    '((has(self.resolution) ? self.resolution : "") == "DNS_ROUND_ROBIN") ? '
    "((has(self.endpoints) ? self.endpoints : []).size() <= 1) : true": _round_robin_has_one_endpoint,
    '((has(self.resolution) ? self.resolution : "NONE") == "NONE") ? '
    "!has(self.endpoints) : true": _none_has_no_endpoints,
    'self.startsWith("unix://") ? !self.endsWith("/") : true': _is_socket_a_file,
    '(has(self.address) ? self.address : "").startsWith("unix://") ? !has(self.ports) : true': _has_socket_no_ports,
    'self.startsWith("unix://") ? (self.substring(7, 8) == "/" || '
    'self.substring(7, 8) == "@") : true': _is_socket_absolute,
    "self.size() == 0": lambda value: value == "",
    'self != "*"': lambda value: value != "*",
    "self.all(key, key.size() != 0)": lambda value: "" not in _map(value),
    "duration(self) >= duration('1ms')": _is_duration,
    "(has(self.workloadSelector) ? 1 : 0) + (has(self.endpoints) ? 1 : 0) <= 1": _at_most_one(
        "workloadSelector", "endpoints"
    ),
    "(has(self.credentialName) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1": _at_most_one(
        "credentialName", "credentialNames"
    ),
    "(has(self.credentialNames) ? 1 : 0) + (has(self.tlsCertificates) ? 1 : 0) <= 1": _at_most_one(
        "credentialNames", "tlsCertificates"
    ),
    "(has(self.tlsCertificates) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1": _at_most_one(
        "tlsCertificates", "credentialNames"
    ),
    "(has(self.jwksUri) ? 1 : 0) + (has(self.jwks_uri) ? 1 : 0) + (has(self.jwks) ? 1 : 0) <= 1": _at_most_one(
        "jwksUri", "jwks_uri", "jwks"
    ),
    "(has(self.selector) ? 1 : 0) + (has(self.targetRef) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1": _at_most_one(
        "selector", "targetRef", "targetRefs"
    ),
    "0 < self && self <= 65535": _is_port,
    "self.all(key, 0 < int(key) && int(key) <= 65535)": _are_port_keys,
    'self.all(key, size(key) < 63 && key.matches("^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$"))': _are_port_names,
    "self.all(l1, self.exists_one(l2, l1.number == l2.number))": _are_port_numbers_unique,
    "has(self.portLevelMtls) ? (((has(self.selector) && has(self.selector.matchLabels)) ? "
    "self.selector.matchLabels : {}).size() > 0) : true": _has_selector_for_ports,
    'url(self).getScheme() in ["http", "https"]': _is_web_url,
    '!self.contains("*")': _has_no_star,
    'self.all(key, !key.contains("*"))': lambda value: not any("*" in key for key in _map(value)),
}
"""What each expression means."""
