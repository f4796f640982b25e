"""Istio's admission rules, each refusing something and letting the nearest good value through."""

from __future__ import annotations

import json

import pytest

from meshproof.targets.istio.admission import IMPLEMENTED
from meshproof.targets.istio.validate import KINDS, read, refusals, rules_of

META = {"name": "x", "namespace": "ns"}


def refused(kind: str, spec: object) -> tuple[str, ...]:
    group = (
        "security" if kind in {"AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"} else "networking"
    )
    document = {"apiVersion": f"{group}.istio.io/v1", "kind": kind, "metadata": META, "spec": spec}
    return tuple(found.message for found in refusals(document))


def test_we_implement_exactly_the_rules_that_istio_has() -> None:
    assert {rule.expression for kind in KINDS for rule in rules_of(kind)} == set(IMPLEMENTED)


def test_the_version_is_noted() -> None:
    version = read("version.json")
    assert isinstance(version, dict)
    assert version["module"] == "istio.io/api"
    assert version["sum"].startswith("h1:")
    assert version["license"] == "Apache-2.0"
    for kind in KINDS:
        assert version["sum"] in json.dumps(read(f"{kind}.json"))


ENDPOINTS = {"hosts": ["a.b"], "resolution": "STATIC"}
RULES: list[tuple[str, object, object, str]] = [
    (
        "AuthorizationPolicy",
        {"rules": [{"from": [{"source": {"serviceAccounts": ["a"], "principals": ["p"]}}]}]},
        {"rules": [{"from": [{"source": {"serviceAccounts": ["a"]}}]}]},
        "Cannot set serviceAccounts with namespaces or principals",
    ),
    (
        "AuthorizationPolicy",
        {"selector": {}, "targetRef": {"kind": "Service", "name": "a"}},
        {"selector": {}},
        "only one of targetRefs or selector can be set",
    ),
    (
        "AuthorizationPolicy",
        {"targetRef": {"kind": "Service", "name": "a", "namespace": "b"}},
        {"targetRef": {"kind": "Service", "name": "a", "namespace": ""}},
        "cross namespace referencing is not currently supported",
    ),
    (
        "AuthorizationPolicy",
        {"selector": {"matchLabels": {"a*": "b"}}},
        {"selector": {"matchLabels": {"a": "b"}}},
        "wildcard not allowed in label key match",
    ),
    (
        "AuthorizationPolicy",
        {"selector": {"matchLabels": {"a": "*"}}},
        {"selector": {"matchLabels": {"a": ""}}},
        "wildcard not allowed in label value match",
    ),
    (
        "PeerAuthentication",
        {"selector": {"matchLabels": {"": "b"}}},
        {"selector": {"matchLabels": {"b": "b"}}},
        "key must not be empty",
    ),
    (
        "PeerAuthentication",
        {"portLevelMtls": {"80": {"mode": "STRICT"}}},
        {"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {"80": {"mode": "STRICT"}}},
        "portLevelMtls requires selector",
    ),
    (
        "PeerAuthentication",
        {"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {"65536": {"mode": "STRICT"}}},
        {"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {"65535": {"mode": "STRICT"}}},
        "port must be between 1-65535",
    ),
    (
        "RequestAuthentication",
        {"jwtRules": [{"issuer": "i", "jwks": "{}", "jwksUri": "https://a"}]},
        {"jwtRules": [{"issuer": "i", "jwksUri": "https://a"}]},
        "only one of jwks or jwksUri can be set",
    ),
    (
        "RequestAuthentication",
        {"jwtRules": [{"issuer": "i", "jwksUri": "ftp://a"}]},
        {"jwtRules": [{"issuer": "i", "jwksUri": "http://a"}]},
        "url must have scheme http:// or https://",
    ),
    (
        "DestinationRule",
        {"host": "a", "trafficPolicy": {"outlierDetection": {"baseEjectionTime": "999us"}}},
        {"host": "a", "trafficPolicy": {"outlierDetection": {"baseEjectionTime": "1m0.5s"}}},
        "must be a valid duration greater than 1ms",
    ),
    (
        "Gateway",
        {
            "servers": [
                {
                    "hosts": ["a"],
                    "port": {"number": 1, "protocol": "HTTPS", "name": "a"},
                    "tls": {"credentialName": "a", "credentialNames": ["b"]},
                }
            ]
        },
        {
            "servers": [
                {
                    "hosts": ["a"],
                    "port": {"number": 1, "protocol": "HTTPS", "name": "a"},
                    "tls": {"credentialName": "a"},
                }
            ]
        },
        "only one of credentialName or credentialNames can be set",
    ),
    (
        "Gateway",
        {
            "servers": [
                {
                    "hosts": ["a"],
                    "port": {"number": 1, "protocol": "HTTPS", "name": "a"},
                    "tls": {"credentialNames": ["a"], "tlsCertificates": [{}]},
                }
            ]
        },
        {
            "servers": [
                {
                    "hosts": ["a"],
                    "port": {"number": 1, "protocol": "HTTPS", "name": "a"},
                    "tls": {"tlsCertificates": [{}]},
                }
            ]
        },
        "only one of credentialNames or tlsCertificates can be set",
    ),
    ("ServiceEntry", {"hosts": ["*"]}, {"hosts": ["*.a"]}, "hostname cannot be wildcard"),
    (
        "ServiceEntry",
        {"hosts": ["a"], "addresses": ["10.0.0.0/8"], "resolution": "DNS"},
        {"hosts": ["a"], "addresses": ["10.0.0.0/8"], "resolution": "STATIC"},
        "CIDR addresses are allowed only for NONE/STATIC resolution types",
    ),
    (
        "ServiceEntry",
        {"hosts": ["a"], "endpoints": [{"address": "1.2.3.4"}]},
        {"hosts": ["a"], "resolution": "DNS", "endpoints": [{"address": "1.2.3.4"}]},
        "NONE mode cannot set endpoints",
    ),
    (
        "ServiceEntry",
        {"hosts": ["a"], "resolution": "DNS_ROUND_ROBIN", "endpoints": [{"address": "a"}, {"address": "b"}]},
        {"hosts": ["a"], "resolution": "DNS_ROUND_ROBIN", "endpoints": [{"address": "a"}]},
        "DNS_ROUND_ROBIN mode cannot have multiple endpoints",
    ),
    (
        "ServiceEntry",
        {**ENDPOINTS, "endpoints": [{"address": "a"}], "workloadSelector": {"labels": {"a": "b"}}},
        {**ENDPOINTS, "endpoints": [{"address": "a"}]},
        "only one of WorkloadSelector or Endpoints can be set",
    ),
    (
        "ServiceEntry",
        {**ENDPOINTS, "endpoints": [{}]},
        {**ENDPOINTS, "endpoints": [{"network": "n"}]},
        "Address is required",
    ),
    (
        "ServiceEntry",
        {**ENDPOINTS, "endpoints": [{"address": "unix:///a/"}]},
        {**ENDPOINTS, "endpoints": [{"address": "unix:///a"}]},
        "UDS may not be a dir",
    ),
    (
        "ServiceEntry",
        {**ENDPOINTS, "endpoints": [{"address": "unix://a"}]},
        {**ENDPOINTS, "endpoints": [{"address": "unix://@a"}]},
        "UDS must be an absolute path or abstract socket",
    ),
    (
        "ServiceEntry",
        {**ENDPOINTS, "endpoints": [{"address": "unix:///a", "ports": {"a": 1}}]},
        {**ENDPOINTS, "endpoints": [{"address": "a", "ports": {"a": 1}}]},
        "UDS may not include ports",
    ),
    (
        "ServiceEntry",
        {**ENDPOINTS, "endpoints": [{"address": "a", "ports": {"a-": 1}}]},
        {**ENDPOINTS, "endpoints": [{"address": "a", "ports": {"a-b": 1}}]},
        "port name must be valid",
    ),
    (
        "ServiceEntry",
        {"hosts": ["a"], "ports": [{"number": 0, "name": "a"}]},
        {"hosts": ["a"], "ports": [{"number": 1, "name": "a"}]},
        "port must be between 1-65535",
    ),
    (
        "ServiceEntry",
        {"hosts": ["a"], "ports": [{"number": 1, "name": "a"}, {"number": 1, "name": "b"}]},
        {"hosts": ["a"], "ports": [{"number": 1, "name": "a"}, {"number": 2, "name": "b"}]},
        "port number cannot be duplicated",
    ),
    (
        "Sidecar",
        {"workloadSelector": {"labels": {"a": "*"}}, "egress": [{"hosts": ["./*"]}]},
        {"workloadSelector": {"labels": {"a": "b"}}, "egress": [{"hosts": ["./*"]}]},
        "wildcard is not supported in selector",
    ),
]


@pytest.mark.parametrize(("kind", "bad", "good", "message"), RULES, ids=[row[3] for row in RULES])
def test_each_rule_refuses_and_lets_through(kind: str, bad: object, good: object, message: str) -> None:
    assert message in refused(kind, bad)
    assert refused(kind, good) == ()


def test_every_message_is_tried() -> None:
    messages = {rule.message for kind in KINDS for rule in rules_of(kind)}
    same_expression = {"only one of credentialName or tlsCertificates can be set"}
    assert {row[3] for row in RULES} | same_expression == messages


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("AuthorizationPolicy", {"rulez": []}),
        ("AuthorizationPolicy", {"action": "ALLOWED"}),
        ("VirtualService", {"http": [{"match": [{"uri": {"exact": "/", "prefix": "/"}}]}]}),
        ("RequestAuthentication", {"jwtRules": [{"issuer": ""}]}),
        ("DestinationRule", {}),
    ],
)
def test_the_schema_refuses_what_the_api_server_would(kind: str, spec: object) -> None:
    assert refused(kind, spec)


def test_unknown_kinds_and_too_many_annotations_are_refused() -> None:
    assert refusals({"kind": "Widget"})[0].path == "kind"
    document = {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {**META, "annotations": {"a": "x" * (256 * 1024)}},
        "spec": {},
    }
    assert [found.path for found in refusals(document)] == ["metadata.annotations"]
