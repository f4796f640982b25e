"""Mistakes at gateways and on the way out are found: who is let through to where, which names are answered to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.ir.matchers import Exact, Prefix
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import Always, Path, Predicate, Test
from meshproof.compiler.verify.semantic_diff_values import Change
from meshproof.compiler.verify.translation import Translation, TranslationVerdict, translation
from meshproof.targets.istio import TARGET

DAY = date(2026, 11, 23)
OPTIONS = CompileOptions(DAY, (("istio.path-normalization", "DECODE_AND_MERGE_SLASHES"),), "hash")
HEAD = 'mesh m { language 1  trust-domain "cluster.local"  namespace shop  mtls strict  egress closed }\n'
RELAY = (
    HEAD
    + """
service web { port http 80 -> 8080 }
service api { port http 8080 }
gateway edge { namespace ingress  hosts "shop.example.com"  port https 443 -> 8443  certificate "shop" }
external bank  { hosts "bank.example.com"  port https 443 originate  via edge }
external vault { hosts "vault.example.com"  port https 443  via edge }
allow visit: internet -> edge
allow pass: edge -> web:http { * /** }
allow read: web -> bank { GET /accounts/all }
allow open: api -> vault
route edge { /old/** => web:http { rewrite path /new }  otherwise => web:http }
"""
)


def emitted(text: str, *changes: tuple[str, str]) -> tuple[Mesh, Mesh, tuple[Loss, ...]]:
    """A policy, what is read of its files once some of their text is another, and the losses."""
    mesh = mesh_of(text, has_mesh=True)
    lowered = TARGET.lower(mesh, OPTIONS)
    assert not has_errors(lowered.diagnostics)
    files = []
    left = dict(changes)
    for artifact in TARGET.emit(lowered):
        content = artifact.content.decode()
        for old in [old for old in left if old in content]:
            content = content.replace(old, left.pop(old))
        files.append(replace(artifact, content=content.encode()))
    assert not left, "a change must change something"
    lifted = TARGET.lift(tuple(files), OPTIONS, mesh).mesh
    assert lifted is not None
    return mesh, lifted, lowered.losses


def judged(text: str, *changes: tuple[str, str]) -> Translation:
    return translation(*emitted(text, *changes), DAY)


def test_what_is_right_is_equal() -> None:
    assert judged(RELAY).verdict is TranslationVerdict.EQUAL


LET_THROUGH = {
    "everybody to an external": (("- cluster.local/ns/shop/sa/web\n", '- "*"\n'), "bank:https", "bank"),
    "another operation": (("- /accounts/all\n", '- "/accounts/*"\n'), "bank:https", "bank"),
    "another caller under TLS of its own": (("- cluster.local/ns/shop/sa/api\n", '- "*"\n'), "vault:https", "vault"),
}


@pytest.mark.parametrize(("change", "place", "node"), LET_THROUGH.values(), ids=LET_THROUGH.keys())
def test_what_a_gateway_lets_through_to_externals_is_found_there(
    change: tuple[str, str], place: str, node: str
) -> None:
    found = judged(RELAY, change)

    assert {text for one in found.looser for text in one.destinations} == {place}
    witness = found.looser[0].witness
    assert witness is not None
    assert (witness.request.destination, witness.request.port) == (node, 443)
    assert witness.old is not None
    assert witness.new is not None
    assert (witness.old.is_allowed, witness.new.is_allowed) == (False, True)


def test_what_a_gateway_refuses_of_it_is_found() -> None:
    found = judged(RELAY, ("- /accounts/all\n", "- /accounts/none\n"))

    assert [one.destinations for one in found.unexplained] == [("bank:https",)]


SENT_ELSEWHERE = {
    "past the gateway": (
        (
            "host: edge.ingress.svc.cluster.local\n            subset: bank-example-com\n",
            "host: bank.example.com\n",
        ),
    ),
    "on to another external": (
        ("host: bank.example.com\n            port", "host: vault.example.com\n            port"),
    ),
    "another path": (("/new\\\\1", "/newer\\\\1"),),
    "for hosts that it does not answer to": (
        ('- "./shop.example.com"\n', '- "./*"\n'),
        ("- shop.example.com\n  gateways", '- "*"\n  gateways'),
    ),
}


@pytest.mark.parametrize("changes", SENT_ELSEWHERE.values(), ids=SENT_ELSEWHERE.keys())
def test_what_is_sent_elsewhere_is_found(changes: tuple[tuple[str, str], ...]) -> None:
    found = judged(RELAY, *changes)

    assert not found.is_sound
    assert {one.change for one in found.unexplained} == {Change.REROUTED}


ITEMS = (
    HEAD
    + """
issuer idp { url "https://idp.example.com"  jwks "https://idp.example.com/keys"  audiences "shop" }
service web { port http 80 }
service api { port http 8080  accepts idp }
allow read:  web -> api {
    GET /items/all
    GET /items/other
}
allow write: web -> api { POST /items }
deny  never: web -> api { * /items/secret }
"""
)
READ = "- /items/all\n"


def with_loss(region: Predicate, subject: str = "read", *, is_of_tokens: bool = False) -> Translation:
    """The judgement over files in which `read` lets less in, with one loss."""
    mesh, lifted, _ = emitted(ITEMS, (READ, "- /items/other\n"))
    origin = mesh.rules[0].origin
    loss = Loss(
        Feature.PATH_SEGMENTS, Direction.STRICTER, subject, "it refuses more", origin, region, None, is_of_tokens
    )
    return translation(mesh, lifted, (loss,), DAY)


def test_a_loss_explains_what_is_in_its_region_alone() -> None:
    items = Test(Path(), Prefix("/items"))

    assert with_loss(items).verdict is TranslationVerdict.STRICTER
    assert with_loss(Always()).verdict is TranslationVerdict.STRICTER
    assert with_loss(Test(Path(), Exact("/items/other"))).verdict is TranslationVerdict.WRONG
    assert with_loss(items, "write").verdict is TranslationVerdict.WRONG
    assert with_loss(items, "never").verdict is TranslationVerdict.WRONG
    assert with_loss(items, "api").verdict is TranslationVerdict.STRICTER
    assert with_loss(items, is_of_tokens=True).verdict is TranslationVerdict.WRONG


JOINED = (
    HEAD
    + """
service web { port http 80 }
service api { port http 8080 }
allow text: web -> api { when header["accept"] == "text" }
"""
)


def test_a_header_whose_lines_are_joined_is_compared_as_it_stands_once_and_more_often() -> None:
    assert judged(JOINED).verdict is TranslationVerdict.STRICTER
    ends = judged(JOINED, ("- text\n", '- "*text"\n'))
    assert [one.destinations for one in ends.looser] == [("api:http",)]

    _, lifted, losses = emitted(JOINED, ("- text\n", '- "a,b"\n'))
    mesh = mesh_of(JOINED.replace('"text"', '"a,b"'), has_mesh=True)  # of lines `a` and `b` Envoy makes the same
    found = translation(mesh, lifted, losses, DAY)
    assert found.verdict is TranslationVerdict.UNKNOWN
    assert [one.reason for one in found.undecided] == ["the lines of a repeated `accept` are compared as one text"]


def test_what_comes_in_is_not_sent_out_for_a_name_that_both_have() -> None:
    """A server for `*.example.com` takes the routes of the external too, whoever calls."""
    mesh = mesh_of(RELAY.replace('hosts "shop.example.com"', 'hosts "*.example.com"'), has_mesh=True)
    server, route = (
        ('- "./shop.example.com"\n', '- "./*.example.com"\n'),
        ("- shop.example.com\n", '- "*.example.com"\n'),
    )
    _, lifted, losses = emitted(RELAY, server, route)
    found = translation(mesh, lifted, losses, DAY)

    assert any(one.change is Change.REROUTED and one.destinations == ("edge:https",) for one in found.unexplained)
