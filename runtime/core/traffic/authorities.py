"""The host of a request that was sent to a port of our own."""

from __future__ import annotations

_OWN = frozenset(("", "localhost", "::1"))


def named_authority(authority: str, host: str | None) -> str:
    """The authority as the destination is to see it.

    An application that calls `http://127.0.0.1:15001/` says that host, which means nothing where it arrives: then the
    destination's own takes its place. A host that it chose goes on as it is.
    """
    return host if host is not None and is_own(authority) else authority


def is_own(authority: str) -> bool:
    """Whether it names nothing but this machine."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0] in _OWN
    name = authority.partition(":")[0]
    return name.lower() in _OWN or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    parts = name.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdecimal() for part in parts)  # noqa: PLR2004  an IPv4 address
