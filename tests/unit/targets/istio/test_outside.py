"""Gateways, externals, closed egress and the mesh configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from meshproof.targets.istio import TARGET

Specs = Callable[..., dict[str, Any]]
Codes = Callable[..., list[str]]
Lower = Callable[..., Any]

A = "service a { port http 80 }\nservice b { namespace other }\n"
OUT = 'external out { hosts "api.example" port https 443 }\n'
REGISTRY = {"mode": "REGISTRY_ONLY"}


def test_closed_egress_opens_what_a_rule_allows(specs: Specs) -> None:
    found = specs("Sidecar", A + OUT + "allow a -> out")
    assert found["app/a"]["egress"] == [{"hosts": ["*/*.svc.cluster.local", "app/api.example"]}]
    assert found["other/b"]["egress"] == [{"hosts": ["*/*.svc.cluster.local"]}]
    assert found["app/a"]["outboundTrafficPolicy"] == REGISTRY
    assert found["app/a"]["workloadSelector"] == {"labels": {"app": "a"}}


def test_a_deny_takes_an_external_away(specs: Specs) -> None:
    text = A + OUT + "allow r: { a, b } -> out\ndeny d: a -> out"
    found = specs("Sidecar", text)
    assert found["app/a"]["egress"][0]["hosts"] == ["*/*.svc.cluster.local"]
    assert found["other/b"]["egress"][0]["hosts"] == ["*/*.svc.cluster.local", "app/api.example"]
    assert specs("ServiceEntry", text)["app/out"]["exportTo"] == ["other"]


def test_open_egress_has_no_sidecars(specs: Specs) -> None:
    mesh = 'mesh m { language 1 trust-domain "td" namespace app egress open }\n'
    assert specs("Sidecar", mesh + A + OUT, has_mesh=True) == {}
    assert specs("ServiceEntry", mesh + A + OUT, has_mesh=True)["app/out"]["exportTo"] == [".", "other"]


def test_open_egress_cannot_be_closed_by_a_deny(lower: Callable[..., Any]) -> None:
    mesh = 'mesh m { language 1 trust-domain "td" namespace app egress open }\n'
    gateway = "gateway door { namespace out  port tls 443 -> 8443 }\n"
    relayed = OUT.replace(" }", " via door }")
    for text, blamed in (
        (A + OUT + "deny d: a -> out", ["d"]),
        (A + OUT + "deny d: namespace far -> out", []),
        (A + gateway + relayed + "deny d: a -> out", []),
    ):
        found = lower(mesh + text, has_mesh=True).diagnostics
        assert [one.subject for one in found if one.code == "MP701"] == blamed


def test_an_external_that_nobody_calls_is_not_known(specs: Specs) -> None:
    assert specs("ServiceEntry", A + OUT) == {}


def test_the_entry_of_an_external(specs: Specs) -> None:
    assert specs("ServiceEntry", A + OUT + "allow a -> out")["app/out"] == {
        "hosts": ["api.example"],
        "ports": [{"number": 443, "name": "https", "protocol": "HTTPS"}],
        "location": "MESH_EXTERNAL",
        "resolution": "DNS",
        "exportTo": ["."],
    }


def test_tls_that_the_proxy_starts_is_checked(specs: Specs) -> None:
    text = A + 'external out { hosts "api.example" port https 80 -> 443 originate }\nallow a -> out'
    (port,) = specs("ServiceEntry", text)["app/out"]["ports"]
    assert port == {"number": 80, "name": "https", "protocol": "HTTP", "targetPort": 443}
    (level,) = specs("DestinationRule", text)["app/out"]["trafficPolicy"]["portLevelSettings"]
    assert level["tls"] == {
        "mode": "SIMPLE",
        "caCertificates": "system",
        "subjectAltNames": ["api.example"],
        "sni": "api.example",
    }


@pytest.mark.parametrize("rule", ["allow a -> out { GET /x }", 'allow a -> out { when source.ip in "10.0.0.0/8" }'])
def test_what_the_sender_would_have_to_judge_stops_the_compile(codes: Codes, rule: str) -> None:
    text = A + 'external out { hosts "api.example" port https 443 originate }\n' + rule
    assert "MP702" in codes(text)


def test_some_ports_of_an_external_stop_the_compile(codes: Codes) -> None:
    text = A + 'external out { hosts "api.example" port https 443 port db tcp 1 }\nallow a -> out:db'
    assert "MP701" in codes(text)


RELAY = "gateway egress { namespace out  port tls 443 -> 8443 }\n"
RELAY += 'external api { hosts "api.example" port https 443 originate via egress }\n'


def test_a_gateway_judges_what_goes_through_it(specs: Specs) -> None:
    text = A + RELAY + "allow a -> api { GET /x }"
    (rule,) = specs("AuthorizationPolicy", text)["out/egress-allow"]["rules"]
    assert rule["from"] == [{"source": {"principals": ["td/ns/app/sa/a"]}}]
    (block,) = rule["to"]
    assert block["operation"] == {
        "hosts": ["api.example", "api.example:*", "api.example.", "api.example.:*"],
        "ports": ["8443"],
        "methods": ["GET"],
        "paths": ["/x"],
    }
    assert rule["when"] == [{"key": "connection.sni", "values": ["api.example"]}]
    (server,) = specs("Gateway", text)["out/egress"]["servers"]
    assert server["tls"] == {"mode": "ISTIO_MUTUAL"}
    assert server["hosts"] == ["./api.example"]
    inward, outward = specs("VirtualService", text)["out/via-api"]["http"]
    assert inward["match"] == [{"port": 443, "gateways": ["mesh"]}]
    assert inward["route"][0]["destination"]["host"] == "egress.out.svc.cluster.local"
    assert outward["match"] == [{"port": 443, "gateways": ["out/meshproof-egress"]}]
    assert outward["route"] == [{"destination": {"host": "api.example", "port": {"number": 443}}}]
    (subset,) = specs("DestinationRule", text)["out/egress"]["subsets"]
    assert subset["trafficPolicy"]["portLevelSettings"][0]["tls"] == {"mode": "ISTIO_MUTUAL", "sni": "api.example"}
    assert specs("Sidecar", text)["app/a"]["egress"][0]["hosts"][1:] == ["out/api.example"]


def test_rules_about_a_gateway_are_not_about_what_goes_through_it(specs: Specs) -> None:
    text = A + RELAY.replace("port tls", "port http 80 -> 8080  port tls")
    text += 'allow own: anyone -> egress { because "x" }\nallow a -> api { GET /x }'
    found = specs("AuthorizationPolicy", text)["out/egress-allow"]["rules"]
    own = [(rule["to"][0]["operation"]["ports"], rule.get("when")) for rule in found if "from" not in rule]
    elsewhere = [{"key": "connection.sni", "notValues": ["api.example"]}]
    assert sorted(own) == [(["8080"], None), (["8443"], elsewhere)]


def test_open_egress_lets_whoever_has_an_identity_through_a_gateway(specs: Specs) -> None:
    mesh = 'mesh m { language 1 trust-domain "td" namespace app egress open }\n'
    found = specs("AuthorizationPolicy", mesh + A + RELAY, has_mesh=True)["out/egress-allow"]["rules"]
    assert [rule["from"] for rule in found] == [[{"source": {"principals": ["*"]}}]]
    assert [rule["when"] for rule in found] == [[{"key": "connection.sni", "values": ["api.example"]}]]


def test_a_gateway_that_refuses_nothing_judges_no_external(codes: Codes) -> None:
    observed = 'namespace out { observe { because "new" owner "o" until 2027-01-01 } }\n'
    assert "MP701" not in codes(A + RELAY + "allow a -> api")
    assert "MP701" in codes(observed + A + RELAY + "allow a -> api")


@pytest.mark.parametrize(
    ("when", "is_said"),
    [
        ("port == 443", True),
        ("port == 8443", False),
        ("not has token", True),
        ("token from idp", False),
        ("not port == 443", False),
    ],
)
def test_what_goes_through_a_gateway_is_told_by_the_port_and_tokens_of_the_external(
    rules: Callable[..., Any], specs: Specs, when: str, is_said: bool
) -> None:
    """The gateway judges it on a port of its own, and may read tokens: the external has its own, and reads none."""
    issuer = 'issuer idp { url "https://idp" jwks "https://idp/keys" audiences "x" }\n'
    text = A + issuer + RELAY.replace("8443 }", "8443  accepts idp }") + "allow a -> api\n"
    denying = f"{text}deny stop: a -> api {{ when {when} }}"
    found = specs("AuthorizationPolicy", denying)
    assert ("out/egress-deny" in found) is is_said
    if is_said:
        (rule,) = rules("out/egress-deny", denying)
        assert rule["to"][0]["operation"]["ports"] == ["8443"]
        assert rule["when"] == [{"key": "connection.sni", "values": ["api.example"]}]


@pytest.mark.parametrize("host", ["api.example", "*.example", "*"])
def test_a_gateway_cannot_tell_an_external_from_itself(codes: Codes, host: str) -> None:
    own = RELAY.replace("egress {", f'egress {{ hosts "{host}"  certificate "c" ', 1)
    assert "MP701" in codes(A + own + "allow a -> api")
    assert "MP701" not in codes(A + own.replace(host, "shop.example", 1) + "allow a -> api")


def test_a_gateway_looks_at_tokens_of_what_goes_through_it(lower: Lower) -> None:
    issuer = 'issuer idp { url "https://idp" jwks "https://idp/keys" audiences "x" }\n'
    text = A + issuer + RELAY.replace("8443 }", "8443  accepts idp }") + "allow a -> api"
    (loss,) = lower(text).losses
    assert (loss.subject, loss.is_of_tokens) == ("api", True)
    assert lower(A + RELAY + "allow a -> api").losses == ()


def test_tls_of_the_caller_goes_through_untouched(specs: Specs) -> None:
    text = A + RELAY.replace("originate ", "") + "allow a -> api"
    found = specs("VirtualService", text)["out/via-api"]
    assert found["tls"][0]["match"] == [{"port": 443, "gateways": ["mesh"], "sniHosts": ["api.example"]}]
    assert found["tcp"][0]["match"] == [{"port": 443, "gateways": ["out/meshproof-egress"]}]
    (rule,) = specs("AuthorizationPolicy", text)["out/egress-allow"]["rules"]
    assert rule["to"] == [{"operation": {"ports": ["8443"]}}]
    assert rule["when"] == [{"key": "connection.sni", "values": ["api.example"]}]


@pytest.mark.parametrize(
    "external",
    [
        'external x { hosts "*.example" port https 443 originate via egress }',
        'external x { hosts "a.example" port tcp 443 via egress }',
        'external x { hosts "a.example" port http 80 port https 443 via egress }',
    ],
)
def test_what_a_gateway_cannot_tell_apart_stops_the_compile(codes: Codes, external: str) -> None:
    assert "MP701" in codes(f"{A}{RELAY}{external}\nallow a -> x")


def test_servers_of_a_gateway(specs: Specs) -> None:
    text = """gateway edge {
    hosts "h.example"
    port http 80 -> 8080
    port https 443 -> 8443
    port raw tls 444 -> 8444 passthrough
    certificate "cert"
    client-ca "ca"
}"""
    found = specs("Gateway", text)["app/edge"]
    assert found["selector"] == {"istio": "edge"}
    by_port = {server["port"]["number"]: server for server in found["servers"]}
    assert "tls" not in by_port[80]
    assert by_port[443]["tls"] == {"mode": "MUTUAL", "credentialName": "cert", "caCertCredentialName": "ca"}
    assert by_port[444]["tls"] == {"mode": "PASSTHROUGH"}
    assert by_port[444]["port"]["protocol"] == "TLS"
    assert {host for server in found["servers"] for host in server["hosts"]} == {"./h.example"}


def test_a_gateway_that_ends_tls_has_a_certificate(codes: Codes) -> None:
    assert codes('gateway edge { hosts "h" port https 443 }') == ["MP701"]
    assert codes('gateway edge { hosts "h" port https 443 passthrough }') == []


def test_connections_of_a_gateway(specs: Specs) -> None:
    text = """gateway edge {
    hosts "h.example"
    port raw tcp 90
    port sealed tls 443 passthrough
    port out tls 444
    certificate "c"
}
service db { port tcp 5432 }
route edge:raw { otherwise => db:tcp }
route edge:sealed { otherwise => db:tcp }
route edge:out { otherwise => db:tcp }"""
    to = [{"destination": {"host": "db.app.svc.cluster.local", "port": {"number": 5432}}}]
    assert specs("VirtualService", text)["app/edge"] == {
        "hosts": ["h.example"],
        "gateways": ["app/meshproof-edge"],
        "tls": [{"match": [{"sniHosts": ["h.example"], "port": 443}], "route": to}],
        "tcp": [{"match": [{"port": 90}], "route": to}, {"match": [{"port": 444}], "route": to}],
    }


def test_limits_of_a_gateway_have_no_keeper(codes: Codes) -> None:
    text = 'gateway edge { hosts "h" port http 80 }\nservice a { port http 80 }\n'
    assert codes(text + "route edge { /** => a:http\n limit connections 9 }") == ["MP701"]


def test_a_gateway_sends_to_an_external_of_one_host(codes: Codes, specs: Specs) -> None:
    text = 'gateway edge { hosts "h" port http 80 }\nexternal out { hosts "x.example" port http 80 }\n'
    text += "route edge { /** => out:http }"
    (http,) = specs("VirtualService", text)["app/edge"]["http"]
    assert http["route"][0]["destination"]["host"] == "x.example"
    for hosts in ('"x.example", "y.example"', '"*.example"'):
        assert codes(text.replace('"x.example"', hosts)) == ["MP701"]


def test_the_mesh_configuration(lower: Callable[..., Any]) -> None:
    text = """mesh m { language 1 trust-domain "td" aliases "old" trusts "far" namespace app }
authorizer opa { address "opa.auth.svc.cluster.local:9191" protocol grpc timeout 250ms }
authorizer unasked { address "x:1" protocol grpc }
gateway edge { hosts "h" port http 80 trusted-proxies 2 }
service a { port http 80 }
ask q: anyone -> a { via opa }
"""
    found = lower(text, {"istio.path-normalization": "MERGE_SLASHES"}, has_mesh=True)
    (config,) = [one for one in TARGET.emit(found) if one.path == "meshconfig.yaml"]
    document = yaml.safe_load(config.content)
    assert (document["kind"], document["metadata"]["name"]) == ("ConfigMap", "istio")
    assert yaml.safe_load(document["data"]["mesh"]) == {
        "rootNamespace": "istio-system",
        "trustDomain": "td",
        "trustDomainAliases": ["old"],
        "pathNormalization": {"normalization": "MERGE_SLASHES"},
        "extensionProviders": [
            {
                "name": "opa",
                "envoyExtAuthzGrpc": {
                    "service": "opa.auth.svc.cluster.local",
                    "port": 9191,
                    "timeout": "250ms",
                    "failOpen": False,
                },
            }
        ],
        "defaultConfig": {"gatewayTopology": {"numTrustedProxies": 2}},
    }
    assert [one.code for one in found.diagnostics] == ["MP708"]


def test_gateways_that_trust_different_numbers_of_proxies(codes: Codes) -> None:
    text = 'gateway x { hosts "h" port http 80 trusted-proxies 2 }\ngateway y { hosts "i" port http 80 }'
    assert codes(text) == ["MP708"]
    assert codes('gateway x { hosts "h" port http 80 }', {"istio.trusted-proxies": "1"}) == ["MP709"]
