"""Work without the collector of cyclic garbage, as the parser does it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Meanwhile nothing looks for cycles.

    What is known of a large policy is millions of values that stay and are in no cycle; to look through them again and
    again takes a fifth of the time. The collector is put back as it was.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
