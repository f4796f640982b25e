"""Names of resources: App Mesh takes each, and no two workloads share one."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from meshproof.targets.appmesh.naming import gateway_name, node_name

_PARTS = st.text("ab-_.é/", min_size=1, max_size=4) | st.text("ab", min_size=200, max_size=202)
_KEYS = st.tuples(_PARTS, _PARTS, st.none() | _PARTS)


def test_plain_names_are_those_of_the_controller() -> None:
    assert node_name("pay", "shop") == gateway_name("pay", "shop") == "pay_shop"
    assert node_name("pay", "shop", "v2") == "pay_shop_v2"


def test_an_underscore_in_a_name_does_not_make_it_another_ones() -> None:
    names = {node_name("a_b", "c"), node_name("a", "b_c"), node_name("a", "b", "c"), node_name("a_b", "c", None)}
    assert len(names) == 3


@given(_KEYS, _KEYS)
def test_other_workloads_have_other_names(one: tuple[str, str, str | None], other: tuple[str, str, str | None]) -> None:
    assert (node_name(*one) == node_name(*other)) == (one == other)


@given(_KEYS)
def test_app_mesh_takes_every_name(key: tuple[str, str, str | None]) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", node_name(*key))
