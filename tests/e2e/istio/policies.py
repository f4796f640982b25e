"""Random AuthorizationPolicies that exercise every field and every form of a value."""

from __future__ import annotations

from random import Random
from typing import Any

Doc = dict[str, Any]

DOMAINS = ("cluster.local", "td1", "old-td", "foreign.example", "td1.example")
_IDENTITIES = (
    "cluster.local/ns/n1/sa/a",
    "td1/ns/n1/sa/a",
    "old-td/ns/n1/sa/b",
    "foreign.example/ns/n2/sa/a",
    "*/ns/n1/sa/a",
    "*-td/ns/n1/sa/a",
    "td*/ns/n2/sa/a",
    "*td1/ns/n1/sa/b",
    "*/sa/a",
    "*a",
    "*",
    "td1/*",
    "cluster.local/*",
    "td1/ns/n1/*",
    "cluster.local/ns/n1/sa/*",
    "td1/ns/*/sa/a",
    "*/ns/n2/*",
    "sa/a",
    "spiffe://td1/ns/n1/sa/a",
    "td1/ns/n1/sa/a/extra",
    "td1/ns/n.1/sa/a",
    "**",
    "td1/ns/n1/**",
)
_NAMESPACES = ("n1", "n2", "n*", "*1", "*", "n.1", "a*b", "*n*", "n1/sa", "n1/*/a")
_ACCOUNTS = ("a", "b", "n1/a", "n2/a", "n.1/a", "x/a", "n1/a.b")
_TRUST_DOMAINS = (*DOMAINS, "*", "td*", "*-td", "*.example", "td1.*", "old.td")
_ADDRESSES = (
    "10.0.0.7",
    "10.0.0.0/24",
    "10.0.1.9/31",
    "192.168.0.0/16",
    "0.0.0.0/0",
    "127.0.0.0/8",
    "127.0.0.2",
    "2001:db8::/32",
    "2001:db8::7",
)
_HOSTS = ("api", "API.example", "api.example:8080", "api.*", "*.example", "*", "*:8080", "a*i", "*a*", "api.example.")
_METHODS = ("GET", "POST", "OPTIONS", "P*", "*T", "*", "get", "*E*")
_PATHS = (
    "/", "/a", "/a/b", "/a*", "/a/*", "*/b", "*", "*.html", "/a*b", "*a*", "/A", "a", "/a?x=1", "/a/", "//a", "/a%2fb",
    "/{*}", "/a/{*}", "/a/{**}", "/{**}", "/a/{*}/b", "/{*}/{*}", "/a/{**}/b", "/{*}/b/{**}", "/a/{*}/{**}", "/a.b",
)  # fmt: skip
_PORTS = ("8080", "9090", "5432", "80", "0", "65535", "008080")
_TOKENS = (
    "*", "iss1/sub1", "iss1/*", "*/sub1", "iss1/s*", "*1/sub1", "*sub1", "iss*", "iss1", "https://iss2/sub2",
    "https://iss2/*", "*iss2/sub2", "iss1/*b1", "iss1/*u*", "*/*", "*s*/sub1", "iss1/", "/sub1", "**", "iss1/**",
)  # fmt: skip
_TEXTS = ("v1", "v*", "*1", "*", "", "v", "V1", "*v*", "a b", "a", "v1,v2", "**", "v.")
_SNIS = ("api.example", "*.example", "api.*", "*", "API.example", "outbound_.80_._.api")
_FIELDS: dict[str, tuple[str, ...]] = {
    "principals": _IDENTITIES,
    "namespaces": _NAMESPACES,
    "serviceAccounts": _ACCOUNTS,
    "trustDomains": _TRUST_DOMAINS,
    "requestPrincipals": _TOKENS,
    "ipBlocks": _ADDRESSES,
    "remoteIpBlocks": _ADDRESSES,
}
_OPERATIONS: dict[str, tuple[str, ...]] = {"hosts": _HOSTS, "methods": _METHODS, "paths": _PATHS, "ports": _PORTS}
_CONDITIONS: dict[str, tuple[str, ...]] = {
    "request.headers[x-a]": _TEXTS,
    "request.headers[X-B]": _TEXTS,
    "request.headers[:authority]": _HOSTS,
    "request.headers[host]": _HOSTS,
    "request.headers[:method]": _METHODS,
    "source.ip": _ADDRESSES,
    "remote.ip": _ADDRESSES,
    "source.namespace": _NAMESPACES,
    "source.principal": _IDENTITIES,
    "source.serviceAccount": _ACCOUNTS,
    "source.trustDomain": _TRUST_DOMAINS,
    "request.auth.principal": _TOKENS,
    "request.auth.audiences": ("aud1", "aud*", "*2", "*", "aud2"),
    "request.auth.presenter": ("app", "a*", "*"),
    "request.auth.claims[group]": _TEXTS,
    "request.auth.claims[nested][role]": _TEXTS,
    "request.auth.claims[a.b/c]": _TEXTS,
    "request.auth.claims[scope]": ("read", "write", "read write", "*", "r*"),
    "request.auth.claims[num]": ("1", "true", "*"),
    "request.auth.claims[odd[x]": _TEXTS,
    "request.auth.claims[iss]": ("iss1", "*"),
    "request.auth.claims[nested][scope]": ("read", "read write", "r*"),
    "destination.ip": ("10.9.0.1", "10.9.0.0/16", "10.8.0.0/16"),
    "destination.port": _PORTS,
    "connection.sni": _SNIS,
}
_CUSTOM_SOURCES = ("ipBlocks", "remoteIpBlocks")
_CUSTOM_CONDITIONS = tuple(
    key for key in _CONDITIONS if key in {"source.ip", "remote.ip"} or key.startswith(("request.h", "dest", "conn"))
)
_FULL_SHARE = 0.04
ACTIONS = ("ALLOW", "ALLOW", "ALLOW", "DENY", "DENY", "CUSTOM", "AUDIT")


def random_policies(draw: Random, actions: tuple[str, ...] = ACTIONS) -> list[Doc]:
    """The specs of the policies of one workload."""
    return [_policy(draw, draw.choice(actions)) for _ in range(draw.choice((0, 1, 1, 1, 2, 2, 3)))]


def _policy(draw: Random, action: str) -> Doc:
    is_custom = action == "CUSTOM"
    spec: Doc = {"action": action, "rules": [_rule(draw, is_custom=is_custom) for _ in range(draw.choice((1, 1, 2)))]}
    if is_custom:
        spec["provider"] = {"name": draw.choice(("web", "web", "rpc", "nobody"))}
    elif action == "ALLOW" and draw.random() < _FULL_SHARE:
        spec["rules"] = []
    elif action == "ALLOW" and draw.random() < 0.5:
        del spec["action"]
    return spec


def _rule(draw: Random, *, is_custom: bool) -> Doc:
    rule: Doc = {}
    if draw.random() < _FULL_SHARE:
        return rule
    shape = draw.choice((("from",), ("to",), ("when",), ("from", "to"), ("to", "when"), ("from", "to", "when")))
    if "from" in shape:
        names = _CUSTOM_SOURCES if is_custom else tuple(_FIELDS)
        rule["from"] = [{"source": _source(draw, names)} for _ in range(draw.choice((1, 1, 2)))]
    if "to" in shape:
        rule["to"] = [{"operation": _block(draw, _OPERATIONS)} for _ in range(draw.choice((1, 1, 2)))]
    if "when" in shape:
        keys = _CUSTOM_CONDITIONS if is_custom else tuple(_CONDITIONS)
        rule["when"] = [_condition(draw, draw.choice(keys)) for _ in range(draw.choice((1, 1, 2)))]
    return rule


def _source(draw: Random, names: tuple[str, ...]) -> Doc:
    found = _block(draw, {name: _FIELDS[name] for name in names})
    if any("erviceAccounts" in name for name in found):
        found = {name: values for name, values in found.items() if not name.endswith(("rincipals", "amespaces"))}
    return found


def _block(draw: Random, fields: dict[str, tuple[str, ...]]) -> Doc:
    found: Doc = {}
    for name in draw.sample(tuple(fields), min(len(fields), draw.choice((1, 1, 1, 2, 2)))):
        is_negated = draw.random() < 0.3
        if not is_negated or draw.random() < 0.2:
            found[name] = _values(draw, fields[name])
        if is_negated:
            found[f"not{name[0].upper()}{name[1:]}"] = _values(draw, fields[name])
    return found


def _condition(draw: Random, key: str) -> Doc:
    found: Doc = {"key": key}
    kind = draw.choice(("values", "values", "notValues", "both"))
    if kind in {"values", "both"}:
        found["values"] = _values(draw, _CONDITIONS[key])
    if kind in {"notValues", "both"}:
        found["notValues"] = _values(draw, _CONDITIONS[key])
    return found


def _values(draw: Random, choices: tuple[str, ...]) -> list[str]:
    usable = [one for one in choices if one]
    return draw.sample(usable, min(len(usable), draw.choice((1, 1, 1, 2, 3))))
