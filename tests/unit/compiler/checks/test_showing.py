from __future__ import annotations

import pytest

from meshproof.compiler.checks.showing import listed, proof_row, request_row
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.ir.request_json import request_from_json


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a"], "`a`"),
        (["a", "b"], "`a` and `b`"),
        (["a", "b", "c"], "`a`, `b` and `c`"),
        (["a", "b", "c", "d"], "`a`, `b`, `c` and `d`"),
        (["a", "b", "c", "d", "e", "f"], "`a`, `b`, `c`, `d` and 2 more"),
    ],
)
def test_names_for_people(names: list[str], text: str) -> None:
    assert listed(names) == text


def test_a_request_as_evidence_can_be_asked_about() -> None:
    request = Request(
        source=Peer(None),
        destination=NodeName("web"),
        port=80,
        protocol=RequestProtocol.HTTP,
        method="GET",
        host="web",
        path="/ä",
    )

    row = request_row(request)

    assert row.kind == "request"
    assert request_from_json(row.value) == request
    assert "/ä" in row.value


def test_a_proof_is_a_sentence() -> None:
    assert (proof_row("nobody comes").kind, proof_row("nobody comes").value) == ("proof", "nobody comes")
