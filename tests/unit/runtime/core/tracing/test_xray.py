from __future__ import annotations

import pytest
from tests.strategies.tracing import SPAN, TRACE

from meshproof.runtime.core.tracing.context import TraceContext
from meshproof.runtime.core.tracing.xray import emit, parse

ROOT = f"Root=1-{TRACE[:8]}-{TRACE[8:]}"


@pytest.mark.parametrize(
    ("value", "context"),
    [
        (f"{ROOT};Parent={SPAN};Sampled=1", TraceContext(TRACE, SPAN, is_sampled=True)),
        (f"Sampled=0; Parent={SPAN}; {ROOT}", TraceContext(TRACE, SPAN, is_sampled=False)),
        (f"{ROOT};Parent={SPAN};Sampled=?", TraceContext(TRACE, SPAN, None)),
        (f"Self=1-1-1;{ROOT};Lineage=a:0;", TraceContext(TRACE, "", None)),
    ],
)
def test_the_header_is_read(value: str, context: TraceContext) -> None:
    assert parse({b"x-amzn-trace-id": value.encode()}) == context


@pytest.mark.parametrize(
    "bad",
    [
        "",
        f"Parent={SPAN};Sampled=1",
        ROOT.replace("1-", "2-", 1),
        ROOT[:-1],
        f"Root=1-{'0' * 8}-{'0' * 24}",
        f"{ROOT};{ROOT}",
        f"{ROOT};Parent=",
        f"{ROOT};Parent={'0' * 16}",
        f"{ROOT};Sampled=2",
        f"{ROOT};Sampled",
        f"{ROOT};" + ";".join(f"k{number}=1" for number in range(16)),
        ROOT.upper(),
    ],
)
def test_a_header_that_is_malformed_is_none(bad: str) -> None:
    assert parse({b"x-amzn-trace-id": bad.encode()}) is None


@pytest.mark.parametrize("is_sampled", [True, False])
def test_what_is_written_is_read_as_it_was(is_sampled: bool) -> None:
    context = TraceContext(TRACE, SPAN, is_sampled=is_sampled)
    assert parse(dict(emit(context))) == context
