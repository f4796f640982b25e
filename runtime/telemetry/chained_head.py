"""How far a chain went, beside the chain itself: in the file by which a process holds it.

It is written after the lines of which it speaks, so it is never ahead of them; a kill may leave it behind them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from meshproof.runtime.telemetry.chain import Link

_SUFFIX = ".lock"
_FORM = re.compile(rb"([0-9]{18}) ([0-9a-f]{64})\n")
_SIZE = 18 + 1 + 64 + 1


def beside(path: Path) -> Path:
    """The file of a chain's head, and of its lock."""
    return path.with_name(f"{path.name}{_SUFFIX}")


def put_head(file: int, last: Link) -> None:
    """Write it over the one before, all of it in one write. A disk that is full leaves the one before."""
    try:
        os.pwrite(file, b"%018d %b\n" % (last.number, last.hash.encode("ascii")), 0)
    except OSError:
        return


def head_in(data: bytes) -> Link | None:
    """What such a file says; None where it says nothing, as that of a chain without lines does."""
    found = _FORM.fullmatch(data)
    return None if found is None else Link(int(found[1]), found[2].decode("ascii"))


def read_head(file: int) -> Link | None:
    """What an open file says."""
    return head_in(os.pread(file, _SIZE + 1, 0))


def heads_of(path: Path) -> dict[str, Link]:
    """By the names of the chains of a log. Raises `OSError`."""
    found: dict[str, Link] = {}
    for one in path.parent.iterdir():
        name = one.name.removesuffix(_SUFFIX)
        is_slot = name == path.name or re.fullmatch(re.escape(path.name) + r"\.[1-9][0-9]{0,2}", name)
        if is_slot and one.name != name:
            head = head_in(one.read_bytes()[: _SIZE + 1])
            if head is not None:
                found[name] = head
    return found
