"""Policies that once were compiled for App Mesh and not proved, by what was wrong with them or with the proof."""

from __future__ import annotations

import pytest
from tests.strategies.app_mesh_policies import OPTIONS, TARGET
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.target import has_errors
from meshproof.compiler.driver.reading_back import judgement, read_back
from meshproof.compiler.verify.translation import TranslationVerdict

SERVICES = """
service web { port http 80 -> 8080 }
service job { namespace jobs  tags pci }
service old { account "web"  tags pci }
service api { port http 80 -> 8080 }
"""
STRICTER, EQUAL = TranslationVerdict.STRICTER, TranslationVerdict.EQUAL
FOUND = {
    "a deny of some strangers takes all that they may do": (
        "allow a: authenticated -> api { DELETE /x }\ndeny b: namespace app -> api",
        STRICTER,
    ),
    "several values of a query parameter are one or the other to proxies": (
        'allow a: web -> api { when query["x"] == "1" }',
        STRICTER,
    ),
    "callers who share a door come in by rules of different names": (
        'allow a: job -> api\nallow b: { web, api } -> api\ndeny c: all -> api { unless query["x"] == "1" }',
        STRICTER,
    ),
    "a deny by path is about another caller": ("allow a: web -> api\ndeny b: job -> api { * /admin/** }", EQUAL),
    "a deny by path is about another method": (
        "allow a: web -> api { GET|POST /a }\nallow b: job -> api\ndeny c: web -> api { DELETE /admin/** }",
        EQUAL,
    ),
    "a deny by path takes no path at all": (
        'allow a: web -> api\ndeny b: web -> api {\n * /a/**\n when path == "/"\n}',
        EQUAL,
    ),
    "an allow takes paths out, and another allows everything": (
        "allow a: web -> api\nallow b: web -> api {\n GET /**\n unless path in /admin/**\n}",
        EQUAL,
    ),
    "an allow takes paths out of nothing": (
        "allow a: web -> api { when not path in /admin/** or port == 8080 }",
        EQUAL,
    ),
    "a path is asked for by its ending, in front of any": (
        'allow a: anyone -> api\ndeny b: web -> api {\n * /*/v1/**\n unless path endswith "a" or header["h"] == "v"\n}',
        STRICTER,
    ),
    "one path is written out beside a query": (
        'allow a: job -> api\ndeny b: all -> api { unless query["x"] == "1" or path in / }',
        STRICTER,
    ),
    "all of it is denied by both sides of a query": (
        """
        allow a: job -> api {
            GET /a/*
            when not path in /
        }
        deny b: tagged pci -> api { when query["x"] == "1" or query["x"] != "1" }
        """,
        EQUAL,
    ),
    "some ports take plaintext, and doors of others do not": (
        """
        service both { port http 80 -> 8080  port rpc grpc 9090 }
        mtls disabled for both:http { because "moving in" owner "t" }
        allow a: anyone -> both:http
        allow b: job -> both:rpc { call shop.Cart/Get }
        allow c: web -> both:rpc { call shop.Cart/* }
        allow d: api -> both:rpc
        """,
        EQUAL,
    ),
    "a gateway refuses in front of an ending what nobody of its host may": (
        """
        gateway edge { hosts "a.example", "bb.example"  port http 80 }
        allow p: internet -> edge
        route edge {
            host "bb.example" /** => web:http
            host "a.example" /** => api:http
        }
        allow a: edge -> api { unless not path endswith "b" and path in / }
        """,
        STRICTER,
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_not_proved_once_is(name: str) -> None:
    text, verdict = FOUND[name]
    mesh = mesh_of(SERVICES + text)
    lowered = TARGET.lower(mesh, OPTIONS)
    assert not has_errors(lowered.diagnostics), [one.message for one in lowered.diagnostics]
    lifted = read_back(TARGET, TARGET.emit(lowered), OPTIONS, mesh)
    found = judgement(mesh, lifted, lowered.losses, OPTIONS.day)
    assert (found.verdict, found.undecided) == (verdict, ())
