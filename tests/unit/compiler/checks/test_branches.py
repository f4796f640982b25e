from __future__ import annotations

import pytest
from tests.checks.judging import policy_of

from meshproof.compiler.checks.routing._branches import duration, port_name, title

MESH = policy_of("""
service web { port http 80 -> 8080  versions v1, v2 }
service plain { port http 80 }
route web:http {
    /a => v1
    otherwise => v2
}
route plain:http { timeout 2s }
""").meshes[0]


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0ms"), (1, "1ms"), (1500, "1500ms"), (2000, "2s"), (90_000, "90s"), (60_000, "1m"), (7_200_000, "2h")],
)
def test_a_duration_is_whole_in_its_unit(milliseconds: int, text: str) -> None:
    assert duration(milliseconds) == text


def test_a_branch_is_called_by_its_place() -> None:
    plain, web = MESH.routes

    assert [title(web, branch) for branch in web.branches] == [
        "branch 1 of route `web:http`",
        "`otherwise` of route `web:http`",
    ]
    assert [title(plain, branch) for branch in plain.branches] == ["route `plain:http`"]


def test_a_port_has_its_name_where_it_is_declared() -> None:
    names = [port_name(MESH, "web", 8080), port_name(MESH, "web", 80), port_name(MESH, "gone", 80)]

    assert names == ["web:http", "web:80", "gone:80"]
