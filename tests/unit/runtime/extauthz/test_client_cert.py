from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.extauthz.client_cert import ForwardedError, caller

FRONT = "spiffe://cluster.local/ns/shop/sa/front"
BY = "By=spiffe://cluster.local/ns/shop/sa/catalog"


@pytest.mark.parametrize(
    "value",
    [
        f"URI={FRONT}",
        f"{BY};Hash=0a1b;URI={FRONT}",
        f'{BY};Hash=0a1b;Subject="CN=x,O=\\"y; z\\"";URI={FRONT}',
        f"{BY};URI={FRONT};DNS=a.example;DNS=b.example",
        f'URI="{FRONT}"',
        f'Subject="";URI={FRONT}',
    ],
)
def test_the_caller_is_the_only_uri_of_the_only_hop(value: str) -> None:
    assert caller(value) == FRONT


@pytest.mark.parametrize(
    "value",
    [
        "",
        BY,
        f"{BY};URI=",
        f"URI={FRONT};URI={FRONT}",
        f"URI={FRONT};URI=spiffe://cluster.local/ns/shop/sa/back",
        f"URI=spiffe://cluster.local/ns/shop/sa/back,URI={FRONT}",
        f"{BY};URI={FRONT},{BY};URI={FRONT}",
        f"URI={FRONT},",
        f"URI={FRONT};",
        f"uri={FRONT}",
        f"URI = {FRONT}",
        f" URI={FRONT}",
        f"Other=x;URI={FRONT}",
        f"Hash=a;Hash=b;URI={FRONT}",
        f'Subject="a;URI={FRONT}',
        f'Subject="a"b;URI={FRONT}',
        f'Subject=a"b;URI={FRONT}',
        f'URI="{FRONT}\\""',
        f"URI={FRONT}=x",
        f"URI={FRONT}\u00e9",
        f"URI={FRONT}\n",
    ],
)
def test_whatever_says_more_or_less_is_refused(value: str) -> None:
    try:
        found = caller(value)
    except ForwardedError:
        return
    # What the pattern takes of odd characters is for the engine, which knows SPIFFE IDs: never the plain caller.
    assert found != FRONT


@given(st.text(st.sampled_from('URI=By;,"\\ ashp:/'), max_size=30))
def test_any_text_is_a_caller_or_refused(value: str) -> None:
    try:
        found = caller(value)
    except ForwardedError:
        return
    assert value.count("URI=") >= 1
    assert found in value
