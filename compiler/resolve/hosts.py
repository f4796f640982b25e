"""Host names of gateways, externals and routes."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.values import StringValue

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"\*|(\*\.)?{_LABEL}(\.{_LABEL})*")
_LONGEST = 253


def host_name(written: StringValue, ctx: Context) -> str | None:
    """The host in lower case without a last dot: a name, `*.name`, `*` or an address; else None, and a finding."""
    text = ctx.values.string(written)
    if text is None:
        return None
    host = text.lower().removesuffix(".")
    if (len(host) <= _LONGEST and _HOST.fullmatch(host)) or _is_address(host):
        return host
    ctx.findings.add(
        "MP236",
        f"`{text}` is no host name",
        written.span,
        help="write a name, `*.` before a name, or an address, without scheme, port or path",
    )
    return None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def host_names(written: Iterable[StringValue], ctx: Context) -> tuple[str, ...]:
    """The hosts that can be read, once each, in order."""
    found = (host_name(one, ctx) for one in written)
    return tuple(dict.fromkeys(host for host in found if host is not None))
