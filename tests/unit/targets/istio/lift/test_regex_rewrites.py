"""Rewrites by an expression, against the expression itself: what is read makes the same of every path."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import pytest
from tests.strategies.building import branch, mesh, request
from tests.strategies.meshes import DAY
from tests.strategies.predicates import origin

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Regex, Segments
from meshproof.compiler.ir.predicate import Always, Test
from meshproof.compiler.ir.predicate import Path as PathOf
from meshproof.compiler.ir.routing import Branch, Settings
from meshproof.compiler.semantics import facts_of, holds
from meshproof.compiler.semantics.rewrite import rewritten_path
from meshproof.targets.istio.lift.regex_rewrites import PathRewrite, RegexRewrite, settled
from meshproof.targets.istio.route_action import rewrite as emitted

PLAIN = mesh()


def read(expression: str, substitution: str, taken: Matcher | None) -> PathRewrite | None:
    return settled(RegexRewrite(expression, substitution, origin()), taken)


def of(path: Matcher | None, rewrite: str) -> Branch:
    condition = Always() if path is None else Test(PathOf(), path)
    return replace(branch(condition, settings=Settings(rewrite_path=rewrite)), path=path)


def some_path(rng: Random) -> str:
    pieces = [rng.choice(("a", "b", "ab", "v1", "a.b", "a-b")) for _ in range(rng.randint(0, 4))]
    return "/" + "/".join(pieces) + (rng.choice(("", "/")) if pieces else "")


MATCHED: tuple[Matcher | None, ...] = (
    None,
    Prefix("/a"),
    Prefix("/a/"),
    Exact("/a"),
    Exact("/a/b"),
    Segments("/a/**"),
    Segments("/*/**"),
    Segments("/a/*/**"),
    Segments("/a.b/**"),
    Segments("/**"),
    Regex("/[^/]+(?:/.*)?"),
)
EXPRESSIONS = (
    *("^/a(.*)$", "^/a/(.*)$", "^/a/?(.*)$", "^/[^/]+(.*)$", "^/[^/]+/?(.*)$", "^/a/[^/]+(.*)$", "^(.*)$", "^/?(.*)$"),
    *("^.*$", r"^/a\.b(.*)$", "^/a.b(.*)$", "/a", "^/a(.+)$", "^/(a|b)(.*)$", "^/a[^/]+(.*)$", "^/a(.*)"),
)
SUBSTITUTIONS = (r"/\1", r"/c\1", r"/c/\1", "/c", "/", r"\1", r"/\1/\1", r"/\0", r"/\\1", r"c\1")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_read_makes_the_same_of_every_path(expression: str) -> None:
    rng = Random(expression)  # noqa: S311  reproducible on purpose
    paths = [some_path(rng) for _ in range(60)]
    for substitution in SUBSTITUTIONS:
        for taken in MATCHED:
            found = read(expression, substitution, taken)
            if found is None:
                continue
            made = of(found.taken, found.path)
            for path in paths:
                sent = replace(request(), path=path)
                facts = facts_of(PLAIN, sent, DAY)
                if taken is None or holds(Test(PathOf(), taken), facts):
                    expected = re.sub(expression, substitution.replace(r"\1", r"\g<1>"), path, count=1)
                    assert rewritten_path(made, sent, facts) == expected, (expression, substitution, taken, path)


EMITTED = [
    (Segments("/a/**"), "/b"),
    (Segments("/a/**"), "/"),
    (Segments("/a/**"), "/b/"),
    (Segments("/a/*/**"), "/b/c"),
    (Segments("/{id}/**"), "/"),
    (Segments("/**"), "/b"),
    (Segments("/**"), "/"),
    (Segments("/a.b-c~d/v1+2/**"), "/b"),
    (Segments("/a"), "/b"),
    (Prefix("/a"), "/b"),
    (Prefix("/a/"), "/b/"),
    (None, "/b"),
]


@pytest.mark.parametrize(("path", "rewrite"), EMITTED)
def test_whatever_we_emit_is_read(path: Matcher | None, rewrite: str) -> None:
    written = emitted(of(path, rewrite), rewrite)
    assert isinstance(written, dict)
    assert read(str(written["match"]), str(written["rewrite"]), path) is not None


@pytest.mark.parametrize(
    ("expression", "substitution", "taken"),
    [
        ("^/a(.*)$", r"/b\1", None),
        ("^/a(.*)$", r"/b\1", Prefix("/")),
        ("^/a/?(.*)$", r"/\1", Prefix("/a")),
        ("^/a/[^/]+(.*)$", r"/b/\1", Segments("/a/*/**")),
        ("^/a(.*)$", r"\1", Prefix("/a")),
    ],
    ids=["any path", "other paths", "paths that go on", "two slashes", "no path at all"],
)
def test_what_the_ir_cannot_say_is_not_read(expression: str, substitution: str, taken: Matcher | None) -> None:
    assert read(expression, substitution, taken) is None


def test_what_a_match_takes_may_be_less_than_what_is_said() -> None:
    assert read("^/[^/]+(.*)$", r"/b\1", Prefix("/a/")) == PathRewrite(Segments("/*/**"), "/b")
