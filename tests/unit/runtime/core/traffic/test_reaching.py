from __future__ import annotations

from datetime import date

import pytest

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.core.traffic.plans import Plans
from meshproof.runtime.core.traffic.reaching import Mutual, Outside, Plain, Reaches

DAY = date(2026, 11, 23)
OWN = "spiffe://ours.example/ns/shop/sa/front"
TEXT = """
mesh m {
    language 1  trust-domain "ours.example"  aliases "old.example"  trusts "partner.example"
    namespace shop  mtls strict  egress open
}
gateway edge { hosts "shop.example.com"  port https 443 -> 8443  certificate "cert" }
gateway way-out { hosts "*"  port https 443 -> 8443  certificate "cert" }
external bank { hosts "bank.example", "*.bank.example"  port https 443 originate }
external raw { hosts "raw.example"  port tls 443 }
external plain { hosts "plain.example"  port http 80 }
external behind { hosts "behind.example"  port https 443  via way-out }
service front { port http 80 -> 8080 }
service back { port http 80 -> 8080  port grpc 90 -> 9090  port db tcp 5432 }
service partner { identity "spiffe://partner.example/vm/7"  port http 80 -> 8080 }
service old { port http 80 -> 8080 }
service soft { port http 80 -> 8080 }
mtls disabled for old { because "it is old" owner "o" until 2026-11-23 }
mtls permissive for soft { because "it moves" owner "o" until 2026-11-23 }
"""


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    policy = policy_of_texts({"m.mesh": TEXT})
    assert policy.meshes, [one.message for one in policy.diagnostics]
    return policy.meshes[0]


def expected(mesh: Mesh, name: str, port: int = 8080, day: date = DAY) -> set[str]:
    reach = Reaches(mesh, day).of(NodeName(name), port)
    assert reach is not None
    assert isinstance(reach.security, Mutual)
    return {one.uri for one in reach.security.expected}


def test_a_server_is_who_the_policy_says_also_under_a_name_that_was_ours(mesh: Mesh) -> None:
    path = "ns/shop/sa/back"
    assert expected(mesh, "back") == {f"spiffe://ours.example/{path}", f"spiffe://old.example/{path}"}
    assert "spiffe://ours.example/ns/shop/sa/edge" in expected(mesh, "edge", 8443)


def test_one_of_another_trust_domain_is_nobody_under_our_names(mesh: Mesh) -> None:
    assert expected(mesh, "partner") == {"spiffe://partner.example/vm/7"}


def test_plaintext_is_for_what_has_disabled_tls_and_only_until_it_has_not(mesh: Mesh) -> None:
    name = NodeName("old")
    reach = Reaches(mesh, DAY).of(name, 8080)
    assert reach is not None
    assert reach.security == Plain()
    later = date(2026, 11, 24)
    assert "spiffe://ours.example/ns/shop/sa/old" in expected(mesh, "old", 8080, later)
    plans = Plans(mesh)
    assert (plans.sent_as(OWN, name, 8080, DAY), plans.sent_as(OWN, name, 8080, later)) == (None, OWN)


def test_a_caller_never_chooses_less_where_either_is_taken(mesh: Mesh) -> None:
    assert "spiffe://ours.example/ns/shop/sa/soft" in expected(mesh, "soft")


def test_what_is_outside_is_reached_as_it_is_declared(mesh: Mesh) -> None:
    reaches = Reaches(mesh, DAY)
    found = {name: reaches.of(NodeName(name), port) for name, port in (("bank", 443), ("raw", 443), ("plain", 80))}
    told = {name: None if one is None else (one.security, one.is_tcp) for name, one in found.items()}
    assert told == {
        "bank": (Outside(("bank.example", "*.bank.example")), False),
        "raw": (Plain(), True),
        "plain": (Plain(), False),
    }
    assert "spiffe://ours.example/ns/shop/sa/way-out" in expected(mesh, "behind", 443)


def test_the_port_says_what_is_spoken(mesh: Mesh) -> None:
    reaches = Reaches(mesh, DAY)
    spoken = []
    for port in (8080, 9090, 5432):
        reach = reaches.of(NodeName("back"), port)
        assert reach is not None
        spoken.append((reach.is_http2, reach.is_tcp))
    assert spoken == [(False, False), (True, False), (False, True)]


def test_nothing_is_sent_to_what_nobody_declared(mesh: Mesh) -> None:
    assert Reaches(mesh, DAY).of(NodeName("nobody"), 8080) is None
