from __future__ import annotations

import pytest
from tests.unit.compiler.driver.policies import TEA, policy

from meshproof.compiler.driver.asking import requests_in

JSON = '{"source": {"identity": "spiffe://cluster.local/ns/tea/sa/shop"}, "destination": {"service": "kettle"}}'
MESH = policy(TEA, "zone both = { shop, spy }\n").meshes[0]


@pytest.mark.parametrize(
    ("text", "callers"),
    [
        ("shop -> kettle:http GET /level", ["shop"]),
        ("shop -> kettle:http GET /level => deny", ["shop"]),
        ("both -> kettle:http GET /level", ["shop", "spy"]),
        (
            JSON,
            ["shop"],
        ),
        ("plaintext -> kettle:http GET /level", [None]),
    ],
)
def test_a_line_and_json_are_requests(text: str, callers: list[str | None]) -> None:
    found = [request.source.identity for request in requests_in(MESH, text).requests]

    assert found == [caller and f"spiffe://cluster.local/ns/tea/sa/{caller}" for caller in callers]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop",
        "only shop reaches kettle",
        "shop -> teapot:http GET /",
        '{"source": 1}',
        '{"x": {}}',
        "shop -> kettle:http get /",
    ],
)
def test_anything_else_is_a_finding_in_the_text(text: str) -> None:
    asked = requests_in(MESH, text)

    assert asked.requests == ()
    assert asked.diagnostics
    assert {one.primary.file for one in asked.diagnostics if one.primary} == {asked.source.path}
