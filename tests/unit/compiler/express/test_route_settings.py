"""What is done to requests, in the language's words: the same thing, or a reason why there is no word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies.predicates import origin

from meshproof.compiler.express.durations import duration
from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.compiler.express.route_settings import of_branch
from meshproof.compiler.express.unwritten import UNASKED_REASONS
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Segments
from meshproof.compiler.ir.predicate import Always
from meshproof.compiler.ir.routing import Branch, Cors, Redirect, Retry, Settings, Target
from meshproof.dsl.ast import routes as ast
from meshproof.dsl.ast.values import DurationUnit, Name

BRANCH = Branch("b", None, (), None, Always(), Always(), True, (), None, Settings(), origin())


def _written(path: Matcher | None = None, redirect: Redirect | None = None, **settings: object) -> ast.RouteSettings:
    own = replace(Settings(), **settings)  # type: ignore[arg-type]  # the tests name its fields
    return of_branch(replace(BRANCH, path=path, redirect=redirect, settings=own), _target)


def _target(target: Target) -> ast.Target:
    return ast.Target(Name(target.node))


@pytest.mark.parametrize(
    ("milliseconds", "amount", "unit"),
    [(250, 250, "ms"), (2000, 2, "s"), (90_000, 90, "s"), (300_000, 5, "m"), (7_200_000, 2, "h"), (1500, 1500, "ms")],
)
def test_a_length_of_time_is_in_the_unit_that_people_take(milliseconds: int, amount: int, unit: str) -> None:
    found = duration(milliseconds)
    assert (found.amount, found.unit) == (amount, DurationUnit(unit))
    assert found.milliseconds == milliseconds


@pytest.mark.parametrize(
    ("path", "rewrite", "text"),
    [
        (Segments("/a/**"), "/b", "/b/**"),
        (Segments("/a/**"), "/", "/**"),
        (Prefix("/a/"), "/b/", "/b/**"),
        (Prefix("/"), "/", "/**"),
        (Exact("/a"), "/b/c", "/b/c"),
        (Exact("/a"), "/", "/"),
    ],
)
def test_a_new_path_keeps_what_the_old_one_kept(path: Matcher, rewrite: str, text: str) -> None:
    found = _written(path, rewrite_path=rewrite).rewrite
    assert found is not None
    assert found.path.text == text


@pytest.mark.parametrize(("path", "rewrite"), [(Prefix("/a"), "/b"), (Prefix("/a/"), "/b"), (Exact("/a"), "/b//c")])
def test_a_path_that_is_replaced_letter_by_letter_has_no_words(path: Matcher, rewrite: str) -> None:
    with pytest.raises(InexpressibleError):
        _written(path, rewrite_path=rewrite)


def test_retries_that_nobody_asked_for_are_not_written_and_others_are() -> None:
    assert _written(retry=Retry(2, tuple(UNASKED_REASONS), None, origin())).retry is None
    found = _written(retry=Retry(3, ("refused-stream", "503"), 500, origin())).retry
    assert found is not None
    assert [one.reason for one in found.conditions] == [ast.RetryReason.REFUSED, 503]
    with pytest.raises(InexpressibleError, match="cancelled"):
        _written(retry=Retry(3, ("cancelled",), None, origin()))


@pytest.mark.parametrize(
    "redirect",
    [
        Redirect(301, None, None, origin(), scheme="https"),
        Redirect(301, "h", None, origin(), port=8443),
        Redirect(303, "h", None, origin()),
        Redirect(301, "h", "/x", origin(), replaces_prefix=True),
        Redirect(301, None, None, origin()),
    ],
)
def test_redirects_of_another_kind_have_no_words(redirect: Redirect) -> None:
    with pytest.raises(InexpressibleError):
        _written(redirect=redirect)


def test_patterns_of_origins_have_no_words() -> None:
    plain = Cors(("https://a.example",), ("GET",), (), allows_credentials=True, max_age_ms=60_000)
    found = _written(cors=plain).cors
    assert found is not None
    assert found.credentials is not None
    with pytest.raises(InexpressibleError):
        _written(cors=replace(plain, origins=("regex:.*",)))
