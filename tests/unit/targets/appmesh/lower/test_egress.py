"""What is outside of the mesh: who gets backends for it, and what is said of the rest."""

from __future__ import annotations

import pytest
from tests.unit.targets.appmesh.lower.lowering import every, lowered, node, routes, sound

from meshproof.compiler.ir.judgement import Judgement
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.model.virtual_service import VirtualService

MESH = 'mesh m { language 1  trust-domain "td"  namespace app  egress closed }\n'
SERVICES = f"{MESH}service web {{ port http 8080 }}\nservice pay {{ port http 9000 }}\n"
FEEDS = 'external feeds { hosts "a.example.com", "b.example.com"  port http 80 }\n'


def _outside(found: AppMeshLowered) -> list[VirtualNode]:
    return [one for one in every(found, VirtualNode) if one.virtual_node_name.startswith("outside")]


def _called(found: AppMeshLowered, name: str) -> list[str]:
    backends = node(found, name).spec.backends or ()
    return [one.virtual_service.virtual_service_name for one in backends if one.virtual_service is not None]


def test_each_host_has_a_node_and_exactly_those_call_it_who_may() -> None:
    found = sound(f"{SERVICES}{FEEDS}allow news: web -> feeds", has_mesh=True)
    (first, second) = _outside(found)
    hosts = [one.spec.service_discovery.dns.hostname for one in (first, second)]  # type: ignore[union-attr]
    assert sorted(hosts) == ["a.example.com", "b.example.com"]
    assert _called(found, "web_app") == ["a.example.com", "b.example.com"]
    assert _called(found, "pay_app") == []
    (route,) = routes(found, "a_example_com")
    assert route.spec.http_route is not None
    (target,) = route.spec.http_route.action.weighted_targets
    assert target.virtual_node in {one.virtual_node_name for one in (first, second)}
    assert target.port == 80


def test_the_rule_is_one_that_callers_keep_and_nobody_enforces() -> None:
    found = sound(f"{SERVICES}{FEEDS}allow news: web -> feeds", has_mesh=True)
    assert found.kept_by_callers == ("egress of m", "rule news")
    assert [one.subject for one in found.diagnostics if one.code == "MP727"] == ["egress of m", "rule news"]
    assert not found.losses


def test_nodes_of_hosts_have_no_proxy_to_speak_of() -> None:
    """Neither a role nor a point of the list is about one."""
    found = sound(f"{SERVICES}{FEEDS}allow news: web -> feeds", has_mesh=True)
    assert not [one for one in found.proxied if one in _outside(found)]
    assert not [name for one in found.residuals for name in one.names if name.startswith("outside")]


def test_what_nobody_may_call_is_not_there() -> None:
    found = sound(f"{SERVICES}{FEEDS}", has_mesh=True)
    assert not _outside(found)
    assert not [one for one in every(found, VirtualService) if one.virtual_service_name.endswith("example.com")]


@pytest.mark.parametrize(
    ("external", "rule", "said"),
    [
        ('hosts "*.example.com"  port http 80', "allow x: web -> e", "whole names of hosts alone"),
        ('hosts "a.example.com"  port tls 443', "allow x: web -> e", "look into no TLS"),
        ('hosts "a.example.com"  port tcp 5432', "allow x: web -> e", "look into no TLS"),
        ('hosts "a.example.com"  port http 80', "allow x: web -> e { GET /a }", "`web` may ask for some of `e` alone"),
    ],
)
def test_what_cannot_be_said_is_a_listed_loss_at_the_rule(external: str, rule: str, said: str) -> None:
    found = sound(f"{SERVICES}external e {{ {external} }}\n{rule}", has_mesh=True)
    (loss,) = found.losses
    assert loss.subject == "x"
    assert said in loss.message
    assert not _outside(found)
    assert found.kept_by_callers == ("egress of m",)


def test_a_deny_takes_its_callers_the_backend() -> None:
    text = f"{SERVICES}{FEEDS}allow news: {{ web, pay }} -> feeds\ndeny shut: pay -> feeds"
    found = sound(text, has_mesh=True)
    assert _called(found, "web_app") == ["a.example.com", "b.example.com"]
    assert _called(found, "pay_app") == []


def test_under_enforced_nothing_outside_is_called() -> None:
    found = lowered(f"{SERVICES}{FEEDS}allow news: web -> feeds", has_mesh=True, require=Judgement.ENFORCED)
    assert not _outside(found)
    assert [one.subject for one in found.diagnostics if one.severity == "error"] == ["egress of m"]
