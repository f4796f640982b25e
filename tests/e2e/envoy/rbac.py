"""AuthorizationPolicies as Envoy's RBAC filters, as istiod makes them (pilot/pkg/security/authz).

Written from Istio's documents and code alone, beside what emits the policies and beside what lifts them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

Doc = Mapping[str, Any]
Config = dict[str, Any]

TYPE = "type.googleapis.com/"
JWT_METADATA = "envoy.filters.http.jwt_authn"
PAYLOAD = "payload"
ANY: Config = {"any": True}

_HTTP_FIELDS = {"hosts", "methods", "paths"}
_HTTP_SOURCES = {"requestPrincipals"}


class NotForConnectionsError(Exception):
    """An attribute of requests, on a filter chain that sees connections."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The trust domains that count as one."""

    domains: tuple[str, ...]

    def expanded(self, principal: str) -> tuple[str, ...]:
        """A principal of five parts is rewritten to one for each domain, if its own is one of them."""
        parts = principal.split("/")
        if len(parts) != 5 or parts[0] == "*":
            return (principal,)
        if parts[0] != "cluster.local" and not any(_matches(parts[0], domain) for domain in self.domains):
            return (principal,)
        return tuple("/".join((domain, *parts[1:])) for domain in self.domains)


def _matches(pattern: str, domain: str) -> bool:
    if pattern.startswith("*"):
        return domain.endswith(pattern[1:])
    return domain.startswith(pattern[:-1]) if pattern.endswith("*") else domain == pattern


def rules_of(specs: Iterable[Doc], action: str, bundle: Bundle, *, is_tcp: bool) -> Config:
    """The `rules` of one filter for all policies of one action."""
    found: Config = {}
    for number, spec in enumerate(specs):
        for index, rule in enumerate(spec.get("rules") or ()):
            try:
                found[f"istio-ext-authz-{number}-{index}"] = _Rule(bundle, spec["action"], is_tcp).config(rule)
            except NotForConnectionsError:
                continue
    return {"action": action, "policies": found}


@dataclass(frozen=True, slots=True)
class _Rule:
    bundle: Bundle
    action: str
    is_tcp: bool

    def config(self, rule: Doc) -> Config:
        """One policy of Envoy for one rule. Raises `NotForConnectionsError` where the rule vanishes."""
        sources = [self._source(one["source"]) for one in rule.get("from") or ()]
        operations = [self._operation(one["operation"]) for one in rule.get("to") or ()]
        principals: list[Config] = []
        permissions: list[Config] = []
        for condition in rule.get("when") or ():
            side, value = self._condition(condition)
            (principals if side == "principal" else permissions).append(value)
        if sources:
            principals.append({"or_ids": {"ids": sources}})
        if operations:
            permissions.append({"or_rules": {"rules": operations}})
        return {
            "permissions": [{"and_rules": {"rules": permissions}} if permissions else ANY],
            "principals": [{"and_ids": {"ids": principals}} if principals else ANY],
        }

    def _source(self, source: Doc) -> Config:
        found: list[Config] = []
        for field, make in (
            ("principals", self._principal),
            ("ipBlocks", lambda value: {"direct_remote_ip": _cidr(value)}),
            ("remoteIpBlocks", lambda value: {"remote_ip": _cidr(value)}),
        ):
            found += _both(source, field, make, _principal_words)
        left = set(source) - {"principals", "notPrincipals", "ipBlocks", "notIpBlocks", "remoteIpBlocks"}
        assert not left, f"this oracle knows no {left}"
        return {"and_ids": {"ids": found}} if found else ANY

    def _principal(self, value: str) -> Config:
        names = self.bundle.expanded(value)
        found = [{"authenticated": {"principal_name": _principal_matcher(name)}} for name in names]
        return found[0] if len(found) == 1 else {"or_ids": {"ids": found}}

    def _operation(self, operation: Doc) -> Config:
        found: list[Config] = []
        makers: tuple[tuple[str, Callable[[str], Config]], ...] = (
            ("hosts", lambda value: {"header": header(":authority", value, ignore_case=True)}),
            ("methods", lambda value: {"header": header(":method", value)}),
            ("paths", _path),
            ("ports", lambda value: {"destination_port": int(value)}),
        )
        for field, make in makers:
            named = {field, "not" + field[0].upper() + field[1:]} & set(operation)
            if not named or (field in _HTTP_FIELDS and self._drops()):
                continue
            found += _both(operation, field, make, _permission_words)
        return {"and_rules": {"rules": found}} if found else ANY

    def _drops(self) -> bool:
        """Whether an attribute of requests is left out: the rule of an ALLOW vanishes as a whole instead."""
        if self.is_tcp and self.action == "ALLOW":
            raise NotForConnectionsError
        return self.is_tcp

    def _condition(self, condition: Doc) -> tuple[str, Config]:
        key = str(condition["key"])
        if key == "connection.sni":
            return "permission", _all(condition, lambda value: {"requested_server_name": matcher(value)}, _RULES)
        if key.startswith("request.") and self._drops():
            return "principal", ANY
        return "principal", _all(condition, _maker(key), _IDS)


_Words = tuple[str, str, str]
_principal_words: _Words = ("or_ids", "ids", "not_id")
_permission_words: _Words = ("or_rules", "rules", "not_rule")
_IDS, _RULES = _principal_words, _permission_words


def _both(block: Doc, field: str, make: Callable[[str], Config], words: _Words) -> list[Config]:
    """The positive list ORed, and the negated one: NOT of its OR."""
    negated = "not" + field[0].upper() + field[1:]
    found = []
    if field in block:
        found.append(_either(block[field], make, words))
    if negated in block:
        found.append({words[2]: _either(block[negated], make, words)})
    return found


def _all(condition: Doc, make: Callable[[str], Config], words: _Words) -> Config:
    found = _both({key: value for key, value in condition.items() if key != "key"}, "values", make, words)
    return {words[0].replace("or_", "and_"): {words[1]: found}}


def _either(values: Sequence[str], make: Callable[[str], Config], words: _Words) -> Config:
    return {words[0]: {words[1]: [make(value) for value in values]}}


def _maker(key: str) -> Callable[[str], Config]:
    if key == "source.ip":
        return lambda value: {"direct_remote_ip": _cidr(value)}
    if key == "remote.ip":
        return lambda value: {"remote_ip": _cidr(value)}
    if found := re.fullmatch(r"request\.headers\[(.+)\]", key):
        name = found[1]
        return lambda value: {"header": header(name, value)}
    path = {"request.auth.audiences": ["aud"], "request.auth.presenter": ["azp"]}.get(key)
    if path is None:
        assert key.startswith("request.auth.claims"), key
        path = re.findall(r"\[([^\]]+)\]", key)
    return lambda value: _claim(path, value)


def _claim(path: list[str], value: str) -> Config:
    """The claim is this string, or a list that holds it."""
    steps = [{"key": PAYLOAD}, *({"key": step} for step in path)]
    found = []
    for wanted in ({"string_match": matcher(value)}, {"list_match": {"one_of": {"string_match": matcher(value)}}}):
        metadata = {"filter": JWT_METADATA, "path": steps, "value": wanted}
        found.append({"sourced_metadata": {"metadata_matcher": metadata, "metadata_source": "DYNAMIC"}})
    return {"or_ids": {"ids": found}}


def matcher(value: str, *, ignore_case: bool = False) -> Config:
    """Istio's string patterns: one star, at the start or else at the end, is special."""
    if value == "*":
        return {"safe_regex": {"regex": ".+"}}
    if value.startswith("*"):
        found = {"suffix": value[1:]}
    else:
        found = {"prefix": value[:-1]} if value.endswith("*") else {"exact": value}
    return {**found, "ignore_case": True} if ignore_case else found


def header(name: str, value: str, *, ignore_case: bool = False) -> Config:
    """A header, or one of those that HTTP/2 writes with a colon."""
    if value == "*":
        return {"name": name, "present_match": True}
    return {"name": name, "string_match": matcher(value, ignore_case=ignore_case)}


def _principal_matcher(value: str) -> Config:
    if value == "*":
        return {"safe_regex": {"regex": ".+"}}
    if value.startswith("*"):
        return {"safe_regex": {"regex": "spiffe://.*" + re.escape(value[1:])}}
    return {"prefix": f"spiffe://{value[:-1]}"} if value.endswith("*") else {"exact": f"spiffe://{value}"}


def _path(value: str) -> Config:
    if "{*}" not in value and "{**}" not in value:
        return {"url_path": {"path": matcher(value)}}
    template = value.replace("{**}", "**").replace("{*}", "*")
    config = {"@type": f"{TYPE}envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"}
    return {"uri_template": {"name": "uri_template", "typed_config": {**config, "path_template": template}}}


def _cidr(value: str) -> Config:
    network = ip_network(value, strict=False)
    return {"address_prefix": str(network.network_address), "prefix_len": network.prefixlen}
