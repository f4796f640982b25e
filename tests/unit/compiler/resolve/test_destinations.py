"""Sets as destinations: nodes and workload ports."""

from __future__ import annotations

import pytest
from tests.strategies.policy_text import mesh_of

WORLD = """
service a { port http 80 -> 8080  port metrics http 9090 }
service b { port grpc 50051  port metrics http 9090  tags pci }
service db { port tcp 5432  tags pci  namespace data }
service cron {}
gateway edge { port http 80 -> 8000 }
external out { hosts "x.example"  port http 80 }
zone cards = tagged pci
zone mixed = { a, out, edge, cron }
zone callers = { plaintext, namespace data }
zone most = { authenticated except cards }
"""


def shown(text: str) -> str:
    (rule,) = mesh_of(WORLD + f"allow r: a -> {text}").rules
    return " ".join(f"{place.node}:{','.join(map(str, place.ports or ()))}" for place in rule.destinations)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "a:8080,9090"),
        ("a:http", "a:8080"),
        ("a:9090", "a:9090"),
        ("edge", "edge:8000"),
        ("out", "out:80"),
        ("all", "a:8080,9090 b:9090,50051 db:5432"),
        ("all:metrics", "a:9090 b:9090"),
        ("cards", "b:9090,50051 db:5432"),
        ("cards:metrics", "b:9090"),
        ("tagged pci:5432", "db:5432"),
        ("namespace data", "db:5432"),
        ("{ a, b }:metrics", "a:9090 b:9090"),
        ("{ a:http, b }", "a:8080 b:9090,50051"),
        ("all except b", "a:8080,9090 db:5432"),
        ("all except b:metrics", "a:8080,9090 b:50051 db:5432"),
        ("all except { a, b }:metrics", "a:8080 b:50051 db:5432"),
        ("{ all except b }:metrics", "a:9090"),
        ("cards and namespace data", "db:5432"),
        ("a:http or a:metrics", "a:8080,9090"),
        ("all and a:http", "a:8080"),
        ("mixed", "a:8080,9090 edge:8000 out:80"),
        ("callers", "db:5432"),
        ("most", "a:8080,9090"),
    ],
)
def test_nodes_and_ports(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_a_zone_names_its_declared_members_those_without_ports_too() -> None:
    zones = {zone.name: zone.destinations for zone in mesh_of(WORLD).zones}

    assert zones["mixed"] == ("a", "cron", "edge", "out")
    assert zones["callers"] == ("db",)
    assert zones["most"] == ("a", "cron")


def test_a_claim_keeps_what_only_calls() -> None:
    mesh = mesh_of(WORLD + 'prove "p" { only a reaches { cron, db } }')
    statement = mesh.proofs[0].claims[0].statement

    assert [(place.node, place.ports) for place in statement.destinations] == [("cron", ()), ("db", (5432,))]  # type: ignore[union-attr]


def test_a_claim_over_nothing_is_kept_and_empty() -> None:
    mesh = mesh_of(WORLD + 'prove "p" { only a reaches namespace nowhere }')

    assert mesh.proofs[0].claims[0].statement.destinations == ()  # type: ignore[union-attr]
