"""Raw paths that step round a rule are shown, or said not to be known, in each mode in which they can."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.transport import LiftedTransport
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.matchers import Exact, Regex
from meshproof.compiler.ir.mesh import Mesh, PathMode
from meshproof.compiler.ir.predicate import Path, Query, Test, conjunction, disjunction, negation
from meshproof.compiler.semantics import decide
from meshproof.compiler.verify.semantic_diff_values import Undecided
from meshproof.compiler.verify.translation_gaps import Compared, Gap
from meshproof.compiler.verify.translation_paths import path_gaps

DAY = date(2026, 11, 23)
HEAD = """
mesh m { language 1  trust-domain "td"  namespace shop  mtls strict  egress open }
service web { port http 80 -> 8080 }
service api { port http 80 -> 8080 }
"""
DENY = "allow use: web -> api { GET /** }\ndeny guard: anyone -> api { * /admin/** }\n"
EXACT = "allow use: web -> api { GET /a }\ndeny guard: anyone -> api { * /admin/** }\n"
ALLOWS = "allow use: web -> api { GET /public/** }\nallow more: web -> api { POST /more }\n"
UNLESS = "allow use: web -> api {\n GET /**\n unless path in /admin/**\n}\n"
HELD = 'allow use: web -> api {\n GET /**\n when header["x"] == "1"\n}\ndeny guard: anyone -> api { * /admin/** }\n'
RAW = (PathMode.NONE, PathMode.BASE, PathMode.MERGE_SLASHES)
WITHOUT_NONE = RAW[1:]


def gaps(text: str, mode: PathMode) -> list[Gap | Undecided]:
    source = mesh_of(HEAD + text, has_mesh=True)
    names = {one.name: one.name for one in source.nodes}
    return [*path_gaps(Compared(source, lifted(source, mode), LiftedTransport(), DAY, names))]


def lifted(source: Mesh, mode: PathMode) -> Mesh:
    return replace(source, paths=mode)


@pytest.mark.parametrize("text", [DENY, EXACT, ALLOWS, UNLESS, HELD])
def test_where_all_paths_are_normal_there_is_nothing_to_compare(text: str) -> None:
    assert gaps(text, PathMode.DECODE_AND_MERGE_SLASHES) == []


@pytest.mark.parametrize("mode", RAW)
def test_a_path_that_steps_round_a_deny_is_shown(mode: PathMode) -> None:
    (found,) = gaps(DENY, mode)
    assert isinstance(found, Gap)
    assert (found.place, found.is_looser) == ("api:http", True)
    assert found.witness is not None
    source = mesh_of(HEAD + DENY, has_mesh=True)
    assert decide(lifted(source, mode), found.witness.request, DAY).is_allowed
    assert not decide(source, found.witness.request, DAY).is_allowed


@pytest.mark.parametrize("mode", WITHOUT_NONE)
def test_what_is_written_out_and_what_is_only_allowed_is_no_gap(mode: PathMode) -> None:
    assert gaps(EXACT, mode) == []
    assert gaps(ALLOWS, mode) == []


def test_without_normal_paths_dots_step_out_of_what_is_allowed() -> None:
    (found,) = gaps(ALLOWS, PathMode.NONE)
    assert isinstance(found, Gap)
    assert "/.." in str(found.emitted)


@pytest.mark.parametrize("mode", WITHOUT_NONE)
def test_what_has_no_example_is_not_known(mode: PathMode) -> None:
    (found,) = gaps(HELD, mode)
    assert isinstance(found, Undecided)
    assert found.reason == f"raw paths are judged there as {mode} leaves them, which may step round `guard`"


@pytest.mark.parametrize("mode", RAW)
def test_an_allow_that_takes_paths_out_is_stepped_round_too(mode: PathMode) -> None:
    (found,) = gaps(UNLESS, mode)
    assert "`use`" in (found.policy if isinstance(found, Gap) else found.reason)


@pytest.mark.parametrize("mode", WITHOUT_NONE)
def test_only_what_the_files_let_in_can_step_round(mode: PathMode) -> None:
    source = mesh_of(HEAD + DENY, has_mesh=True)
    names = {one.name: one.name for one in source.nodes}
    closed = replace(lifted(source, mode), rules=tuple(rule for rule in source.rules if rule.id == "guard"))
    assert [*path_gaps(Compared(source, closed, LiftedTransport(), DAY, names))] == []
    opened = tuple(replace(one, default_allow=(Layer.HTTP,)) for one in source.services)
    assert [*path_gaps(Compared(source, replace(closed, services=opened), LiftedTransport(), DAY, names))]


@pytest.mark.parametrize(
    ("taken", "is_plain"),
    [
        ("/[a-z]+(?:/[a-z]+)*", True),
        ("/x/(?:[!$&-\\[\\]-~]|%(?:[^%25/][^%/]|2[^%Ff/]|5[^%Cc/]))*", True),
        ("/x/(?:[!$&-\\[\\]-~]|%(?:[^25/][^/]|2[^Ff/]|5[^Cc/]))*", False),  # `%%2F` is in it
        ("/x/.*", False),
        ("/x/[a-z%A-F0-9]*", False),
        ("/[a-z]+(?:%5C[a-z]+)?", False),
    ],
)
def test_expressions_that_take_no_slash_in_disguise_are_no_way_round(taken: str, *, is_plain: bool) -> None:
    source = mesh_of(HEAD + DENY, has_mesh=True)
    names = {one.name: one.name for one in source.nodes}
    allow = next(rule for rule in source.rules if rule.id == "use")
    emitted = replace(allow, operations=(), when=Test(Path(), Regex(taken)))
    there = replace(lifted(source, PathMode.MERGE_SLASHES), rules=(emitted,))
    assert ([*path_gaps(Compared(source, there, LiftedTransport(), DAY, names))] == []) is is_plain


UNMET = {
    "another caller": "allow use: web -> api\ndeny guard: old -> api { * /admin/** }\n",
    "another method": "allow use: web -> api { GET /** }\ndeny guard: anyone -> api { POST /admin/** }\n",
    "another header": """
        allow use: web -> api { when header["x"] == "1" }
        deny guard: anyone -> api { * /admin/**  unless has header["x"] }
    """,
    "no path at all": 'allow use: web -> api\ndeny guard: anyone -> api {\n * /a/**\n when path == "/"\n}\n',
    "an allow of any path": """
        allow use: web -> api {
            when not path == "/" or has header["x"]
            when has header["x"]
        }
    """,
    "an allow of everything": """
        allow use: web -> api
        allow more: web -> api {
            GET /**
            unless path in /admin/**
        }
    """,
}
MET = {
    "the same caller": "allow use: web -> api\ndeny guard: { old, web } -> api { * /admin/** }\n",
    "one of its methods": "allow use: web -> api { GET /** }\ndeny guard: anyone -> api { POST|GET /admin/** }\n",
    "one of its headers": """
        allow use: web -> api { when header["x"] == "1" }
        deny guard: anyone -> api { * /admin/**  unless has header["y"] }
    """,
    "an allow of some": """
        allow use: web -> api { POST /** }
        allow more: web -> api {
            GET /**
            unless path in /admin/**
        }
    """,
    "an allow of everything to another": """
        allow use: old -> api
        allow more: web -> api {
            GET /**
            unless path in /admin/**
        }
    """,
}


@pytest.mark.parametrize("mode", WITHOUT_NONE)
@pytest.mark.parametrize("why", UNMET)
def test_a_rule_that_speaks_of_nothing_that_is_let_in_is_not_stepped_round(why: str, mode: PathMode) -> None:
    assert gaps("service old { port http 80 -> 8080 }\n" + UNMET[why], mode) == []


@pytest.mark.parametrize("mode", WITHOUT_NONE)
@pytest.mark.parametrize("why", MET)
def test_a_rule_that_speaks_of_some_of_it_is(why: str, mode: PathMode) -> None:
    assert len(gaps("service old { port http 80 -> 8080 }\n" + MET[why], mode)) == 1


@pytest.mark.parametrize("is_out", [True, False])
def test_expressions_keep_slashes_in_disguise_out_together(*, is_out: bool) -> None:
    source = mesh_of(HEAD + DENY, has_mesh=True)
    names = {one.name: one.name for one in source.nodes}
    allow = next(rule for rule in source.rules if rule.id == "use")
    disguised = Test(Path(), Regex(".*%(?:2[Ff]|5[Cc]).*"))
    ending = Test(Path(), Regex(".*a"))
    emitted = replace(allow, operations=(), when=conjunction((ending, negation(disguised) if is_out else disguised)))
    there = replace(lifted(source, PathMode.MERGE_SLASHES), rules=(emitted,))
    assert ([*path_gaps(Compared(source, there, LiftedTransport(), DAY, names))] == []) is is_out


@pytest.mark.parametrize("is_asked", [True, False])
def test_a_refusal_counts_where_all_else_that_it_asks_for_holds(*, is_asked: bool) -> None:
    source = mesh_of(HEAD + DENY, has_mesh=True)
    names = {one.name: one.name for one in source.nodes}
    allow = next(rule for rule in source.rules if rule.id == "use")
    parameter, ending = Test(Query("x"), Exact("1")), Test(Path(), Regex(".*a"))
    refused = negation(conjunction((Test(Path(), Regex(".*%(?:2[Ff]|5[Cc]).*")), parameter)))
    emitted = replace(allow, operations=(), when=conjunction((ending, refused, *((parameter,) if is_asked else ()))))
    there = replace(lifted(source, PathMode.MERGE_SLASHES), rules=(emitted,))
    assert ([*path_gaps(Compared(source, there, LiftedTransport(), DAY, names))] == []) is is_asked


def test_a_path_that_is_written_out_beside_lets_nothing_round() -> None:
    text = 'allow use: web -> api\ndeny guard: anyone -> api { unless query["x"] == "1" or path == "/" }\n'
    source = mesh_of(HEAD + text, has_mesh=True)
    names = {one.name: one.name for one in source.nodes}
    allow = next(rule for rule in source.rules if rule.id == "use")
    parameter, root = Test(Query("x"), Exact("1")), Test(Path(), Exact("/"))
    for when, is_gap in (
        (disjunction((parameter, root)), False),
        (disjunction((Test(Query("y"), Exact("1")), root)), True),
    ):
        there = replace(lifted(source, PathMode.MERGE_SLASHES), rules=(replace(allow, when=when),))
        assert bool([*path_gaps(Compared(source, there, LiftedTransport(), DAY, names))]) is is_gap


RELAYED = """
gateway out { port tls 443 -> 8443 }
external bank { hosts "bank.example"  port https 443 originate  via out }
allow pay: web -> bank { GET /** }
allow call: web -> out
deny guard: anyone -> bank { * /admin/** }
"""


@pytest.mark.parametrize("mode", RAW)
def test_what_a_gateway_judges_for_an_external_is_asked_too(mode: PathMode) -> None:
    assert gaps(RELAYED, PathMode.DECODE_AND_MERGE_SLASHES) == []
    (found,) = gaps(RELAYED, mode)
    assert isinstance(found, Undecided)
    assert found.subject == "bank:https"
