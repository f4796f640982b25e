"""How many descriptors a process may have, and how many the bound of connections in the settings needs."""

from __future__ import annotations

import resource

from meshproof.runtime.settings_run import RunSettings

_SPARE = 256
"""For listeners, logs, what is loaded, and connections to servers, which are used again and again."""


def needed(settings: RunSettings) -> int:
    """How many a worker needs if it has all the connections that it takes: each half of it has the bound of its own."""
    halves = bool(settings.inbound) + bool(settings.outbound)
    return settings.limits.connections * halves + _SPARE


def raised(most: int) -> int:
    """Let this process and those that it starts have so many, as far as the system does; how many there are now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return most
    if soft < most:
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def shortage(settings: RunSettings) -> str:
    """Why not all connections that the settings allow can be there at once, if so, after all was done for it."""
    most = needed(settings)
    found = raised(most)
    if found >= most:
        return ""
    return (
        f"a process may have {found} descriptors, and `connections` = {settings.limits.connections} needs {most}: "
        "raise the limit (`ulimit -n`, `LimitNOFILE=`), or lower `connections`"
    )
