from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies.building import branch, connection, mesh, request
from tests.strategies.vocabulary import DAY

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Segments
from meshproof.compiler.ir.routing import Settings
from meshproof.compiler.semantics import MalformedRequest, facts_of
from meshproof.compiler.semantics.rewrite import rewritten_path


@pytest.mark.parametrize(
    ("pattern", "rewrite", "sent", "expected"),
    [
        (Segments("/a/**"), "/v2", "/a/x/y", "/v2/x/y"),
        (Segments("/a/**"), "/v2", "/a", "/v2"),
        (Segments("/a/**"), "/v2", "/a/", "/v2/"),
        (Segments("/a/**"), "/v2/", "/a/x", "/v2/x"),
        (Segments("/a/**"), "/", "/a/x", "/x"),
        (Segments("/a/**"), "/", "/a", "/"),
        (Segments("/a/**"), "/", "/a/", "/"),
        (Segments("/**"), "/v2", "/x", "/v2/x"),
        (Segments("/**"), "/v2", "/", "/v2/"),
        (Segments("/*/b/**"), "/v2", "/a/b/c", "/v2/c"),
        (Segments("/a/*"), "/v2", "/a/b", "/v2"),
        (Prefix("/a"), "/v2", "/abc", "/v2bc"),
        (Prefix("/a"), "", "/a", "/"),
        (Exact("/a"), "/v2", "/a", "/v2"),
        (None, "/v2", "/anything", "/v2"),
        (Segments("/a/**"), "/v2", "/%61/./x?q=%61", "/v2/x?q=%61"),
        (None, "/v2", "/x?", "/v2?"),
    ],
)
def test_rewrites(pattern: Matcher | None, rewrite: str, sent: str, expected: str) -> None:
    one = replace(branch(settings=Settings(rewrite_path=rewrite)), path=pattern)
    asked = replace(request(), path=sent)
    assert rewritten_path(one, asked, facts_of(mesh(), asked, DAY)) == expected


def test_without_a_rewrite_and_on_tcp_nothing_is_rewritten() -> None:
    assert rewritten_path(branch(), request(), facts_of(mesh(), request(), DAY)) is None
    rewriting = branch(settings=Settings(rewrite_path="/a"))
    assert rewritten_path(rewriting, connection(1), facts_of(mesh(), connection(1), DAY)) is None


def test_a_path_that_is_left_out_cannot_be_rewritten() -> None:
    asked = replace(request(), path=None)
    with pytest.raises(MalformedRequest, match="`path` is left out, and the route rewrites it"):
        rewritten_path(branch(settings=Settings(rewrite_path="/a")), asked, facts_of(mesh(), asked, DAY))
