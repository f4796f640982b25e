from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from meshproof.targets.appmesh.render.naming import logical_name, object_name

NAMES = st.text("abcXYZ019-_/.:*~ é", max_size=300)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@given(NAMES, NAMES)
def test_names_are_taken_where_they_stand_and_differ_as_names_do(one: str, other: str) -> None:
    for name in (one, other):
        assert re.fullmatch("[A-Za-z0-9]{1,255}", logical_name("Route", "mesh", name))
        assert len(object_name(name)) <= 253
        assert LABEL.fullmatch(object_name(name))
    assert (logical_name("Route", one) == logical_name("Route", other)) is (one == other)
    assert (object_name(one) == object_name(other)) is (one == other)


def test_what_is_a_name_already_stays_as_it_is() -> None:
    assert object_name("catalog.shop.svc") == "catalog.shop.svc"
    assert object_name("Catalog_v1").startswith("catalog-v1-")
    assert logical_name("Route", "shop", "to-catalog").startswith("RouteShopToCatalog")
    assert logical_name("Route", "a", "b") != logical_name("Route", "a-b")
