"""Ports that the sidecar behind the node judges: which ones are handed over, and what then cannot be said."""

from __future__ import annotations

import pytest
from tests.unit.targets.appmesh.lower.lowering import errors, every, listener, lowered, node, routes, sound, taken

from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.model.virtual_router import VirtualRouter

NATIVE = {"app-mesh.residue": "native"}
FILES = {**NATIVE, "app-mesh.certificates": "file:/tls/chain,/tls/key,/tls/ca"}
LOGIN = 'issuer login { url "https://login.td"  jwks "https://login.td/keys"  audiences "b" }\n'
SERVICES = f"""{LOGIN}
service a {{}}
service b {{ port http 80 -> 8080  accepts login }}
service c {{ port http 80 -> 8080 }}
service d {{ port tcp 90 }}
"""
UNTIL = '{ because "moving in" until 2027-01-01 }'
ORDER = "allow x: a -> b { POST /x when has token }"
UNLIKE_EACH_OTHER = "".join(f"service s{n} {{}}\nallow x{n}: s{n} -> c {{ GET /{n} }}\n" for n in range(31))


@pytest.mark.parametrize(
    ("rules", "subject", "place"),
    [
        (ORDER, "x", "b:8080"),
        ('allow x: a -> b { GET /x when claim["role"] == "buyer" }', "x", "b:8080"),
        ('allow x: a -> c { GET /x when host == "c.example" }', "x", "c:8080"),
        (f'allow x: a -> c {{ when path matches re"/{"a" * 300}" }}', "x", "c:8080"),
        ('allow x: a -> d { when sni == "d.example" }', "x", "d:90"),
        (f"allow x: anyone -> c {{ GET /x }}\nmtls permissive for c {UNTIL}", "x", "c:8080"),
        (UNLIKE_EACH_OTHER, "x9", "c:8080"),
    ],
    ids=["token", "claim", "host", "long", "sni", "plaintext", "quota"],
)
def test_what_app_mesh_cannot_judge_stops_the_compile_or_is_handed_over(rules: str, subject: str, place: str) -> None:
    """At the rule, with the way out; then the port is the sidecar's, and nothing else is."""
    found = lowered(SERVICES + rules)
    told = next(one for one in found.diagnostics if one.code == "MP701" and one.subject == subject)
    assert told.labels[0].span.file == "policy.mesh"
    assert f"hand `{place}`" in (told.help or "")
    assert "app-mesh.residue=native" in (told.help or "")
    assert not found.companions
    assert _handed(sound(SERVICES + rules, NATIVE)) == {place}


@pytest.mark.parametrize("rules", ["", "allow x: a -> b", "allow x: a -> c { GET /x }", "allow x: a -> { c, d }"])
def test_what_app_mesh_can_judge_stays(rules: str) -> None:
    """Of a service that accepts tokens one that is not valid is to be refused, so that of `b` does not."""
    found = sound(SERVICES + rules, NATIVE)
    assert _handed(found) == ({"b:8080"} if "-> b" in rules else set())
    assert bool(found.wirings) is bool(found.companions)


@pytest.mark.parametrize(
    ("rules", "subject", "why", "settings"),
    [
        ('allow x: a -> c { when source.ip in "10.0.0.0/8" }', "x", "`x` looks at that of others", NATIVE),
        ('allow x: a -> d { when source.ip in "10.0.0.0/8" }', "x", "`x` looks at that of others", NATIVE),
        (f'{ORDER}\ndeny y: a -> b {{ when source.ip in "10.0.0.0/8" }}', "x", "`y` looks at that", NATIVE),
        (f'{ORDER}\naudit deny y: a -> b {{ when source.ip in "10.0.0.0/8" }}', "x", "`y` looks at that", NATIVE),
        ('authorizer o { address "o:1" }\nallow x: a -> c\nask y: a -> c { GET /x via o }', "y", "asks nobody", NATIVE),
        (f"allow x: anyone -> c {{ GET /x }}\nmtls disabled for c:http {UNTIL}", "x", "has an identity", NATIVE),
        ('issuer k { url "https://k" }\nservice e { port http 1  accepts k }\nallow x: a -> e', "x", "keys", NATIVE),
    ],
    ids=[
        "source.ip",
        "source.ip of a connection",
        "source.ip of a deny",
        "source.ip that is logged",
        "ask",
        "disabled",
        "keys",
    ],
)
def test_what_the_sidecar_cannot_judge_either_stops_the_compile(
    rules: str, subject: str, why: str, settings: dict[str, str]
) -> None:
    """It would see the address of the node's own proxy: whoever is refused by his address would come in."""
    found = lowered(SERVICES + rules, settings)
    told = [one for one in found.diagnostics if one.code == "MP701" and one.subject == subject]
    assert told, errors(SERVICES + rules, settings)
    assert any("the native sidecar cannot judge there either" in (one.help or "") for one in told)
    assert any(why in (one.help or "") for one in told)
    assert not found.companions


def test_a_foreign_domain_needs_an_agent_that_knows_its_authorities() -> None:
    """One file of authorities would vouch for every name."""
    mesh = 'mesh m { language 1  trust-domain "td"  trusts "other"  namespace app  egress closed }\n'
    text = f'{mesh}{SERVICES}allow x: identity "spiffe://other/ns/x/sa/y" -> c'
    assert _handed(sound(text, NATIVE, has_mesh=True)) == {"c:8080"}
    assert "MP701" in errors(text, FILES, has_mesh=True)["x"]


def test_the_listener_passes_on_what_callers_send_and_they_check_who_answers() -> None:
    """TLS is ended behind it, by the certificate that callers ask for."""
    found = sound(SERVICES + ORDER, NATIVE)
    own = listener(found, "b_app")
    assert (own.port_mapping.port, own.port_mapping.protocol, taken(own)) == (8080, "tcp", "plaintext")
    assert (own.timeout, own.health_check) == (None, None)
    (backend,) = node(found, "a_app").spec.backends or ()
    assert backend.virtual_service is not None
    policy = backend.virtual_service.client_policy
    assert policy is not None
    assert policy.tls is not None
    names = policy.tls.validation.subject_alternative_names
    assert names is not None
    assert (policy.tls.enforce, names.match.exact) == (True, ("spiffe://td/ns/app/sa/b",))
    (router,) = every(found, VirtualRouter)
    (route,) = routes(found, router.virtual_router_name)
    assert [one.port_mapping.protocol for one in router.spec.listeners or ()] == ["tcp"]
    assert route.spec.tcp_route is not None


def test_each_version_passes_them_on() -> None:
    """Weights are then those of connections."""
    text = SERVICES.replace("accepts login", "accepts login  versions v1, v2")
    found = sound(f"{text}{ORDER}\nroute b:http {{ otherwise => v1 90%, v2 10% }}", NATIVE)
    own = [one for one in every(found, VirtualNode) if one.virtual_node_name.startswith("b_")]
    assert [one.port_mapping.protocol for node in own for one in node.spec.listeners or ()] == ["tcp", "tcp"]


@pytest.mark.parametrize(
    ("route", "subject"),
    [
        ('route b:http { when header["x"] == "1" => b\notherwise => b }', "b:http/1"),
        ("route b:http { otherwise => b  timeout 2s }", "b:http/1"),
        ("route b:http { otherwise => b  retry 2 on 5xx }", "b:http/1"),
        ("route b:http { otherwise => b\neject after 5 errors for 30s up to 50% }", "b:http"),
    ],
)
def test_what_needs_requests_cannot_be_said_of_a_port_that_is_handed_over(route: str, subject: str) -> None:
    """Proxies of callers see connections there, so it stops the compile."""
    found = errors(f"{SERVICES}{ORDER}\n{route}", NATIVE)
    assert {text.split(" ", 1)[0] for text in found.values()} == {"MP701"}, subject


def test_gateways_send_nothing_there() -> None:
    """They send requests, and nobody tells whether App Mesh takes that of a node which knows of connections."""
    edge = 'gateway g { hosts "g.example"  port http 80 }\nallow o: internet -> g\nroute g { otherwise => b:http }\n'
    found = errors(f"{SERVICES}{edge}{ORDER}\nallow y: g -> b", NATIVE)
    assert len(found) == 1
    assert all("takes connections unread" in text for text in found.values())


def test_callers_tell_two_of_them_apart_by_their_numbers() -> None:
    """Of connections App Mesh's proxies know the port alone."""
    token = f"{LOGIN}service a {{}}\nservice b {{ port http 80  accepts login }}\nservice e {{ port http %s  "
    rules = "accepts login }\nallow x: a -> b { when has token }\nallow y: a -> e { when has token }"
    assert set(errors(token % 80 + rules, NATIVE)) == {"b:80", "e:80"}
    assert _handed(sound(token % "81 -> 80" + rules, NATIVE)) == {"b:80", "e:80"}


def test_the_application_has_a_port_of_its_own() -> None:
    """Where nothing else is, and where there are ports."""
    found = sound(SERVICES + ORDER, {**NATIVE, "app-mesh.native.application-offset": "1"})
    assert [one.application for wiring in found.wirings for one in wiring.ports] == [8081]
    for offset in ("6921", "60000"):
        wrong = errors(SERVICES + ORDER, {**NATIVE, "app-mesh.native.application-offset": offset})
        assert wrong["b"].startswith("MP709")


def test_tokens_are_taken_off_by_the_sidecar() -> None:
    """App Mesh takes nothing off."""
    strip = SERVICES.replace('audiences "b"', 'audiences "b"  strip')
    assert errors(strip + ORDER)["b"].startswith("MP701")
    assert _handed(sound(strip + ORDER, NATIVE)) == {"b:8080"}


def test_what_is_handed_over_is_in_the_residual_list() -> None:
    """With where its application is: whoever gets there has passed by the policy."""
    told = {one.text: one.names for one in sound(SERVICES + ORDER, NATIVE).residuals if one.code == "R13"}
    assert sorted(told.values()) == [("b_app:8080",), ("b_app:8080 -> 127.0.0.1:18080",)]


def _handed(found: AppMeshLowered) -> set[str]:
    assert {one.target for one in found.companions} <= {"native"}
    return {f"{name}:{port}" for one in found.companions for name, port in one.ports}
