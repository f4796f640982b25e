"""The paths that a workload might take a raw path for, where the language refuses it and a target does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product

from meshproof.compiler.patterns.normal_form import decode_unreserved, merge_slashes, remove_dot_segments

_SLASH = re.compile("%2[Ff]")
_BACKSLASH = re.compile("%5[Cc]")

# Each choice is made for the whole path: a proxy or a framework has one setting.
_CHOICES: tuple[Callable[[str], str], ...] = (
    lambda path: _SLASH.sub("/", path),
    lambda path: _BACKSLASH.sub(r"\\", path),
    lambda path: path.replace("\\", "/"),
    merge_slashes,
)


def raw_readings(raw: str) -> tuple[str, ...]:
    r"""Every reading of a raw path: `%2F`, `%5C`, `\`, `//` kept, decoded or merged, then dots removed.

    Unreserved escapes are decoded; slashes may also be merged after the dots are removed. Without query and fragment;
    sorted, each once; nothing for what does not begin with a slash. A deny that matches one of them may be escaped by
    this raw path.
    """
    path = raw.partition("#")[0].partition("?")[0]
    readings: set[str] = set()
    for chosen in product((False, True), repeat=len(_CHOICES)):
        reading = decode_unreserved(path)
        for is_chosen, choice in zip(chosen, _CHOICES, strict=True):
            reading = choice(reading) if is_chosen else reading
        if reading.startswith("/"):
            plain = remove_dot_segments(reading)
            readings |= {plain, merge_slashes(plain)}
    return tuple(sorted(readings))
