"""What cannot be closed, or would not be, stops the compile at its place."""

from __future__ import annotations

import pytest
from tests.unit.targets.appmesh.lower.lowering import errors, lowered, sound

from meshproof.targets.appmesh.lower.network import Closing

MESH = 'mesh m { language 1  trust-domain "td"  namespace app }\n'
CLOSED = MESH + "namespace app { closed }\nservice a { port http 80 }\n"
NONE = {"app-mesh.network": "none"}
GROUPS = {"app-mesh.network": "security-groups"}


def test_closed_namespaces_are_closed_where_kubernetes_is() -> None:
    """If nobody says so, where workloads have the names that Kubernetes gives them."""
    found = sound(CLOSED, has_mesh=True)
    assert [one.name for one in found.closing.policies] == ["meshproof-closed", "meshproof-service-a"]
    elsewhere = {"app-mesh.discovery": "dns:{name}.{namespace}.internal"}
    for settings in (NONE, elsewhere):
        assert "MP701" in errors(CLOSED, settings, has_mesh=True)["app"]
        (said,) = [one for one in lowered(CLOSED, settings, has_mesh=True).diagnostics if one.subject == "app"]
        assert said.help is not None
        assert "app-mesh.network=kubernetes" in said.help
    told = {**elsewhere, "app-mesh.network": "kubernetes"}
    assert sound(CLOSED, told, has_mesh=True).closing.policies == found.closing.policies
    objects = {**elsewhere, "app-mesh.rendering": "kubernetes"}
    assert sound(CLOSED, objects, has_mesh=True).closing.policies == found.closing.policies


def test_without_a_network_it_is_said_what_is_open() -> None:
    """And with one it is said what closes it."""
    text = "service a { port http 80 }\nservice b { port http 80 }\nallow x: a -> b { GET /x }"
    is_open, is_closed = sound(text, NONE), sound(text)
    assert is_open.closing == Closing()
    assert {one.code for one in is_open.residuals} - {one.code for one in is_closed.residuals} == {"R1"}
    assert {one.code for one in is_closed.residuals} - {one.code for one in is_open.residuals} == {"R11"}
    ports = "ports without a listener skip the proxy"
    assert any(ports in one.text for one in is_open.residuals)
    assert not any(ports in one.text for one in is_closed.residuals)


@pytest.mark.parametrize(
    ("text", "subject", "code"),
    [
        ('service a { port http 80  labels { app: "x y" } }', "a", "MP701"),
        ('service a { namespace "A_b"  port http 80 }', "a", "MP701"),
        ('namespace "A_b" { closed }\nservice a { port http 80 }', "A_b", "MP701"),
        ('service a { port http 80 }\nservice b { port http 81  labels { app: "a" } }', "b", "MP703"),
        ('service a { port http 80 }\nservice b { port http 81  labels { app: "a", x: "y" } }', "b", "MP703"),
    ],
)
def test_what_kubernetes_cannot_tell_apart_is_refused(text: str, subject: str, code: str) -> None:
    """A policy that selects nothing, or too much, would leave open what it should close."""
    assert errors(text)[subject].startswith(code)
    assert subject not in errors(text.replace("{ closed }", "{ }"), NONE)


@pytest.mark.parametrize("number", [9901, 15000, 15001])
@pytest.mark.parametrize("settings", [{}, NONE])
def test_ports_of_proxies_are_nobody_elses(number: int, settings: dict[str, str]) -> None:
    """What closes them would open them."""
    text = f"""
    service a {{ port http 80 -> {number} }}
    gateway g {{ hosts "x.example"  port http 80 -> {number} }}
    allow i: internet -> g
    route g {{ host "x.example" /** => a:http }}
    """
    told = [one for one in lowered(text, settings).diagnostics if f"at its port {number} the proxies" in one.message]
    assert [(one.code, one.subject) for one in told] == [("MP701", "a"), ("MP701", "g")]


def test_pods_of_other_namespaces_may_have_the_same_labels() -> None:
    """A policy selects pods of its own."""
    found = sound('service a { port http 80 }\nservice b { namespace other  port http 80  labels { app: "a" } }')
    assert not [one for one in found.diagnostics if one.code == "MP703"]


def test_pods_of_a_gate_are_its_own() -> None:
    """Whoever had its labels would be as open as it is."""
    text = 'service a { port http 80 }\nservice b { port http 80  labels { app: "meshproof-gate" } }\n'
    assert errors(text + "allow x: a -> b { GET /x }")["b"].startswith("MP703")


def test_security_groups_close_ports_and_no_namespace() -> None:
    """What nobody declared has none."""
    text = "service a { port http 80 }\nservice b { port http 80 }\nallow x: a -> b"
    found = sound(text, GROUPS)
    assert not found.closing.policies
    assert [(one.subject, [port for port, _ in one.ingress]) for one in found.closing.groups] == [
        ("a", []),
        ("b", [80]),
    ]
    assert {one.code for one in found.residuals} >= {"R11"}
    assert not {one.code for one in found.residuals} & {"R1"}
    assert "MP701" in errors(CLOSED, GROUPS, has_mesh=True)["app"]
    objects = {**GROUPS, "app-mesh.rendering": "kubernetes"}
    assert errors(text, objects)["m"].startswith("MP709")


def test_callers_whom_nobody_declared_have_no_group() -> None:
    """The listener judges them, so the port is open."""
    text = "service b { port http 80 }\nservice a { port http 80 }\n"
    text += 'allow x: { identity "spiffe://td/ns/x/sa/y", a } -> b'
    (_, group) = sound(text, GROUPS).closing.groups
    assert group.ingress == ((80, None),)


def test_the_quota_of_rules_is_said() -> None:
    """Of callers and ports together."""
    callers = " ".join(f"service c{number} {{ }}" for number in range(60))
    names = ", ".join(f"c{number}" for number in range(60))
    text = f"{callers}\nservice a {{ port http 80 }}\nallow x: {{ {names} }} -> a"
    told = [one for one in sound(text, GROUPS).residuals if "rules of a security group" in one.text]
    assert [(one.code, one.names) for one in told] == [("R10", ("a: 60 of 60",))]
