"""The event loop: uvloop's where it is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the loop of a worker."""
    try:
        import uvloop  # noqa: PLC0415  an extra
    except ModuleNotFoundError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
