"""Nothing that is judged in a head comes after the body."""

from __future__ import annotations

import pytest

from meshproof.runtime.core.trailers import OF_IDENTITIES, may_follow

OTHERS = (b"authorization", b"cookie", b"host", b"x-forwarded-for", b"x-envoy-original-path")


@pytest.mark.parametrize("name", [*sorted(OF_IDENTITIES), *OTHERS])
def test_what_belongs_to_a_head_is_left_out(name: bytes) -> None:
    assert may_follow([(b"grpc-status", b"0"), (name, b"x"), (b"x-checksum", b"1")]) == [
        (b"grpc-status", b"0"),
        (b"x-checksum", b"1"),
    ]
