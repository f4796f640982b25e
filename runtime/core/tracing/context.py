"""What trace headers say of a request, whatever their format."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

Lines = Mapping[bytes, bytes]
"""Headers by their name in lower case. One that came twice is left out before: nobody knows which one is meant."""


class Format(StrEnum):
    """A format of trace headers."""

    W3C = "w3c"
    B3_SINGLE = "b3-single"
    B3_MULTI = "b3"
    XRAY = "x-ray"


class TraceContext(NamedTuple):
    """The trace in which a request stands. Numbers are in lower-case hex digits, as many as W3C has.

    Without `trace_id` only whether to sample was told. `span_id` is the span of the sender, `parent_id` that span's own
    parent where B3 tells it; both may be empty. `is_sampled` is None where the sender leaves that to others. (A tuple,
    because one is made a request, and a frozen dataclass takes four times as long.)
    """

    trace_id: str
    span_id: str
    is_sampled: bool | None
    parent_id: str = ""
    is_debug: bool = False
    is_random: bool = False
    state: bytes = b""
