"""What a judge of some ports is told of a policy: all that decides there, and nothing else."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.driver.excerpt import excerpt
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import decide

DAY = date(2026, 11, 23)
POLICY = """
mesh m { language 1  trust-domain "td"  namespace app  egress closed }
namespace app { closed }
issuer idp { url "https://idp.td"  jwks "https://idp.td/keys" }
issuer other { url "https://other.td"  jwks "https://other.td/keys" }
authorizer opa { address "opa:1" }
service web { port http 80 -> 8080  accepts other }
service pay { port http 9000  port admin http 9001  accepts idp  versions v1, v2 }
service old {}
service lone {}
gateway edge { hosts "td.example"  port http 80 }
external bank { hosts "bank.example"  port https 443 }
allow a: web -> pay { POST /charge }
allow b: old -> pay:admin
deny c: { web, old } -> { pay, web } { GET /x }
allow d: edge -> pay:http { GET /y }
allow e: internet -> edge
allow f: pay -> bank { when port == 443 }
ask g: web -> pay:admin { GET /z via opa }
route pay:http { otherwise => v1 }
mtls permissive for pay:http { because "moving in" until 2027-01-31 }
mtls permissive for web { because "moving in" until 2027-01-31 }
"""
PORT = (NodeName("pay"), 9000)


@pytest.fixture(scope="module")
def whole() -> Mesh:
    return mesh_of(POLICY, has_mesh=True)


def test_rules_are_narrowed_to_the_ports(whole: Mesh) -> None:
    found = excerpt(whole, frozenset((PORT,)))
    assert [one.id for one in found.rules] == ["a", "c", "d"]
    assert {(place.node, place.ports) for one in found.rules for place in one.destinations} == {("pay", (9000,))}


def test_who_calls_is_declared_and_takes_nothing(whole: Mesh) -> None:
    found = excerpt(whole, frozenset((PORT,)))
    assert {str(one.name): [port.workload for port in one.ports] for one in found.services} == {
        "web": [],
        "pay": [9000],
        "old": [],
    }
    assert [(one.name, one.ports, one.hosts) for one in found.gateways] == [("edge", (), ())]
    assert [one.name for one in found.issuers] == ["idp"]
    assert (found.routes, found.externals, found.authorizers, found.zones) == ((), (), (), ())
    assert [one.is_closed for one in found.namespaces] == [False]


def test_statements_are_those_of_the_ports(whole: Mesh) -> None:
    found = excerpt(whole, frozenset((PORT,)))
    assert [type(one.scope).__name__ for one in found.mtls] == ["MeshScope", "PortScope"]
    every = excerpt(whole, frozenset((PORT, (NodeName("web"), 8080))))
    assert {type(one.scope).__name__ for one in every.mtls} == {"MeshScope", "PortScope", "ServiceScope"}


def test_several_ports_of_a_service_are_one_destination(whole: Mesh) -> None:
    found = excerpt(whole, frozenset((PORT, (NodeName("pay"), 9001))))
    ports = {str(one.id): [place.ports for place in one.destinations] for one in found.rules}
    assert ports == {"a": [(9000, 9001)], "b": [(9001,)], "c": [(9000, 9001)], "d": [(9000,)], "g": [(9001,)]}
    assert [one.name for one in found.authorizers] == ["opa"]


@pytest.mark.parametrize("caller", [None, "web", "old", "edge", "lone"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/charge"), ("GET", "/x"), ("GET", "/y")])
def test_it_decides_as_the_whole_policy(whole: Mesh, caller: str | None, method: str, path: str) -> None:
    identity = None if caller is None else f"spiffe://td/ns/app/sa/{caller}"
    request = Request(Peer(identity), *PORT, RequestProtocol.HTTP, method=method, host="pay", path=path)
    assert decide(excerpt(whole, frozenset((PORT,))), request, DAY) == decide(whole, request, DAY)
