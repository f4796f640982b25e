from __future__ import annotations

import pytest
from tests.strategies.tracing import SPAN, TRACE

from meshproof.runtime.core.tracing.context import TraceContext
from meshproof.runtime.core.tracing.w3c import emit, kept_state, parse

GOOD = f"00-{TRACE}-{SPAN}-01"


def test_a_parent_is_read_and_written_as_it_came() -> None:
    context = parse({b"traceparent": GOOD.encode()})
    assert context == TraceContext(TRACE, SPAN, is_sampled=True)
    assert emit(context) == ((b"traceparent", GOOD.encode()),)


@pytest.mark.parametrize(
    ("flags", "is_sampled", "is_random", "written"),
    [("00", False, False, "00"), ("01", True, False, "01"), ("02", False, True, "02"), ("ff", True, True, "03")],
)
def test_only_known_flags_go_on(flags: str, is_sampled: bool, is_random: bool, written: str) -> None:
    context = parse({b"traceparent": f"00-{TRACE}-{SPAN}-{flags}".encode()})
    assert context is not None
    assert (context.is_sampled, context.is_random) == (is_sampled, is_random)
    assert emit(context)[0][1].endswith(b"-" + written.encode())


@pytest.mark.parametrize("later", [f"cc-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-is-new"])
def test_a_later_version_is_read_as_far_as_it_is_known(later: str) -> None:
    context = parse({b"traceparent": later.encode()})
    assert context == TraceContext(TRACE, SPAN, is_sampled=True)
    assert emit(context)[0][1] == GOOD.encode()


@pytest.mark.parametrize(
    "bad",
    [
        "",
        GOOD + "-",
        GOOD + "-01",
        GOOD + " ",
        " " + GOOD,
        GOOD[:-1],
        GOOD.upper(),
        GOOD.replace("00-", "ff-", 1),
        GOOD.replace("00-", "0-", 1),
        GOOD.replace("-", "_"),
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-0x",
        f"cc-{TRACE}-{SPAN}-01.what",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_a_parent_that_is_malformed_is_none(bad: str) -> None:
    assert parse({b"traceparent": bad.encode(), b"tracestate": b"a=1"}) is None


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        (b"a=1", b"a=1"),
        (b" a=1 ,\tb@c=2 ", b"a=1,b@c=2"),
        (b"a=1,,b=2", b"a=1,b=2"),
        (b"", b""),
        (b"a=1,a=2", b""),
        (b"A=1", b""),
        (b"a", b""),
        (b"a=", b""),
        (b"a=1=2", b""),
        (b"a=\xff", b""),
        (b"@a=1", b""),
        (b",".join(b"k%d=1" % number for number in range(32)), b",".join(b"k%d=1" % n for n in range(32))),
        (b",".join(b"k%d=1" % number for number in range(33)), b""),
        (b"a=%b,b=1" % (b"x" * 256), b"a=%b,b=1" % (b"x" * 256)),
        (b"a=%b" % (b"x" * 257), b""),
        (b"a=%b,b=%b,c=1" % (b"x" * 250, b"x" * 256), b"c=1"),
        (
            b",".join(b"k%d=%b" % (n, b"x" * 100) for n in range(6)),
            b",".join(b"k%d=%b" % (n, b"x" * 100) for n in range(4)),
        ),
    ],
)
def test_of_a_state_goes_on_what_is_well_formed_and_fits(state: bytes, kept: bytes) -> None:
    assert kept_state(state) == kept
    context = parse({b"traceparent": GOOD.encode(), b"tracestate": state})
    assert context is not None
    assert emit(context)[1:] == (((b"tracestate", kept),) if kept else ())
