"""Random AuthorizationPolicies that istiod's admission may refuse."""

from __future__ import annotations

from random import Random
from typing import Any

Doc = dict[str, Any]

_SOURCE = {
    "principals": ("", "a b", "spiffe://x"),
    "namespaces": ("", "*a*"),
    "serviceAccounts": ("a/b/c", "/a", "a/", "*", "n/*", "a"),
    "trustDomains": ("a/b", "*a*", "a*b", "*", "", "**"),
    "requestPrincipals": ("", "x"),
    "ipBlocks": ("1.2.3", "1.2.3.4/33", "::1/64", "1.2.3.4/08", "10.0.0.0/8 ",
                 "1.2.3.04", "::ffff:1.2.3.4", "1.0.0.1/255.0.0.0"),
    "remoteIpBlocks": ("x", "10.0.0.0/0"),
}  # fmt: skip
_OPERATION = {
    "hosts": ("", "http://x"),
    "ports": ("-1", "65536", "080", "8 0", "+80", "http", "0"),
    "methods": ("get", ""),
    "paths": ("/{a}", "/{*}b", "/{**}/{*}", "a{*}", "/a{", "/x/{*}/", "/*/{*}", "/é/{*}", "/a b/{*}",
              "/{**}/x/{**}", "/{*}//x", ""),
}  # fmt: skip
_KEYS = (
    "source.ip", "foo", "request.headers", "request.headers[]", "request.headers[a", "request.headers[:path]",
    "request.auth.claims", "request.auth.claims[]", "request.auth.claims[a][b]", "request.auth.claims[a]b",
    "experimental.envoy.filters.a", "experimental.envoy.filters.a[b]", "destination.port", "source.trustDomain",
    "source.serviceAccount", "connection.sni", "source.ip[x]", "request.headersx[a]", "request.auth.principal",
)  # fmt: skip
_VALUES = ("", "*", "1.2.3.4", "80", "a*b", "x", "a/b/c", "*a*")


def odd_policy(draw: Random) -> Doc:
    """A spec, often with something wrong."""
    action = draw.choice(("ALLOW", "DENY", "CUSTOM", "AUDIT"))
    spec: Doc = {"action": action, "rules": [_rule(draw) for _ in range(draw.choice((0, 1, 1)))]}
    if draw.random() < (0.8 if action == "CUSTOM" else 0.05):
        spec["provider"] = {"name": "web"}
    if draw.random() < 0.1:
        spec["selector"] = {"matchLabels": draw.choice(({"app": "x"}, {"app": "*"}, {"": "x"}, {"a": ""}))}
    return spec


def _rule(draw: Random) -> Doc:
    rule: Doc = {}
    if draw.random() < 0.4:
        rule["from"] = [{"source": _block(draw, _SOURCE)} for _ in range(draw.choice((0, 1, 1)))]
    if draw.random() < 0.4:
        rule["to"] = [{"operation": _block(draw, _OPERATION)} for _ in range(draw.choice((0, 1, 1)))]
    if draw.random() < 0.5:
        condition: Doc = {"key": draw.choice(_KEYS)}
        for field in draw.choice((("values",), ("notValues",), ("values", "notValues"), ())):
            condition[field] = [draw.choice(_VALUES) for _ in range(draw.choice((0, 1)))]
        rule["when"] = [condition]
    return rule


def _block(draw: Random, fields: dict[str, tuple[str, ...]]) -> Doc:
    """Some fields, none of them with an empty list: those the API server counts and istiod does not."""
    found: Doc = {}
    for name in draw.sample(tuple(fields), draw.choice((0, 1, 1, 2))):
        is_negated = draw.random() < 0.3
        found[f"not{name[0].upper()}{name[1:]}" if is_negated else name] = [draw.choice(fields[name])]
    return found
