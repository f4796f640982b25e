"""What goes on of a path is what was judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.engine.paths import forwarded, normal_path, query_of


@pytest.mark.parametrize(
    ("sent", "goes_on"),
    [
        ("/items/1?q=%2F..", "/items/1?q=%2F.."),
        ("/public/../admin", "/admin"),
        ("/%61dmin//x?y=1", "/admin/x?y=1"),
        ("/a/.?", "/a/?"),
        ("/a%2Fb?x", "/a%2Fb?x"),
        ("*", "*"),
    ],
)
def test_the_normal_path_goes_on_with_the_query_as_it_is(sent: str, goes_on: str) -> None:
    assert forwarded(sent) == goes_on


@given(st.text("/.%2eEfFaA?#&=;\\ ", max_size=12).map(lambda rest: f"/{rest}"))
def test_nobody_reads_what_goes_on_otherwise(sent: str) -> None:
    """A path in normal form is judged as itself, however often."""
    normal = normal_path(sent)
    found = forwarded(sent)
    if normal is None:
        assert found == sent
    else:
        assert found.partition("?")[0] == normal_path(found) == normal
        assert query_of(found) == query_of(sent)


@pytest.mark.parametrize("sent", ["", "*", "a", "/#", "/\x7f"])
def test_no_path_is_taken_for_the_one_before_it(sent: str) -> None:
    assert normal_path(sent) is None
    assert normal_path("/a") == "/a"
    assert normal_path(sent) is None
    assert forwarded(sent) == sent
