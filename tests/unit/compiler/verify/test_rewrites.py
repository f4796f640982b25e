"""Where two rewrites agree, against the interpreter's rewriting of one path after the other."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.building import branch, mesh, request
from tests.strategies.meshes import DAY, seeded

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Segments
from meshproof.compiler.ir.predicate import Always, Never, Path, Test
from meshproof.compiler.ir.routing import Branch, Settings
from meshproof.compiler.semantics import facts_of, holds
from meshproof.compiler.semantics.rewrite import rewritten_path
from meshproof.compiler.verify.rewrites import Behind, Below, Kept, Whole, agreement, rewrite_of

_WORDS = ("a", "b", "v1")
_MESH = mesh()


def _path(rng: Random) -> str:
    count = rng.randint(0, 4)
    path = "/" + "/".join(rng.choice(_WORDS) for _ in range(count))
    return path + rng.choice(("", "", "/")) if count else path


def _matcher(rng: Random) -> Matcher | None:
    pieces = [rng.choice((*_WORDS, "*")) for _ in range(rng.randint(0, 2))]
    return rng.choice(
        (
            Segments("/" + "/".join([*pieces, "**"])),
            Segments("/" + "/".join(pieces or ["a"])),
            Prefix(_path(rng)),
            Exact(_path(rng)),
            None,
        )
    )


def _branch(rng: Random) -> Branch:
    matcher = _matcher(rng)
    path = rng.choice((None, "/", "/b", "/a", "/a/b", "/v1/a", "/a/", _path(rng)))
    condition = Always() if matcher is None else Test(Path(), matcher)
    return replace(branch(condition, settings=Settings(rewrite_path=path)), path=matcher)


@given(seed=st.integers(0, 2**32))
def test_an_agreement_is_where_both_make_the_same_path(seed: int) -> None:
    rng = seeded(seed)
    for _ in range(8):
        one, other = _branch(rng), _branch(rng)
        found = agreement(rewrite_of(one), rewrite_of(other))
        for _ in range(6):
            path = _path(rng)
            sent = replace(request(), path=path)
            facts = facts_of(_MESH, sent, DAY)
            if found is not None and holds(one.condition, facts) and holds(other.condition, facts):
                made = [rewritten_path(each, sent, facts) or path for each in (one, other)]
                assert holds(found, facts) == (made[0] == made[1]), (one, other, path)


def test_what_is_put_in_front_counts_without_its_last_slash() -> None:
    assert agreement(Below("/b", 2), Below("/b", 2)) == Always()
    assert agreement(Below("/b", 2), Below("/c", 2)) == Never()
    assert agreement(Kept(), Whole("/a")) == Test(Path(), Exact("/a"))


def test_what_is_cut_at_the_same_place_is_as_what_is_put_there() -> None:
    assert agreement(Below("/b", 2), Behind("/b", "/a")) == Always()
    assert agreement(Below("/b", 2), Behind("/c", "/a")) == Never()
    assert agreement(Below("/b", 2), Behind("/b/", "/a/")) == Always()
    assert agreement(Below("/b", 2), Behind("/b", "/a/")) == Never()
    assert agreement(Below("", 2), Behind("/", "/a")) == Test(Path(), Exact("/a"))


def test_what_cannot_be_said_is_not_said() -> None:
    assert agreement(Below("/b", 2), Behind("/b", "/a")) == Always()
    assert agreement(Below("/b", 3), Behind("/b", "/a")) is None
