"""Header names: which can be read and set, and what stands for those that cannot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshproof.compiler.resolve.findings import Findings
    from meshproof.dsl.source import Span

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_INSTEAD = {
    "host": "`host`",
    ":authority": "`host`",
    ":method": "`method`",
    ":path": "`path`",
    "x-envoy-original-path": "`path`",
    "x-envoy-external-address": "`client.ip`",
    "x-envoy-peer-metadata": "`source in`",
    "x-forwarded-for": "`client.ip`",
    "x-forwarded-host": "`host`",
    "x-forwarded-client-cert": "`source in`",
    "x-forwarded-port": "`port`",
}
_PROXIES_OWN = (":", "x-envoy-", "x-forwarded-")


def header_name(written: str, at: Span, findings: Findings) -> str | None:
    """The name in lower case; None, and a finding, where the proxy or another attribute owns it (RFC 9110, 5.1)."""
    name = written.lower()
    if name == "host" or name.startswith(_PROXIES_OWN):
        instead = _INSTEAD.get(name)
        findings.add(
            "MP221",
            f"the header `{written}` cannot be used: it is the proxy's own",
            at,
            help=f"use {instead}" if instead else "the proxy writes it, and no attribute stands for it",
        )
        return None
    if _TOKEN.fullmatch(name) is None:
        findings.add("MP221", f"`{written}` is no header name", at, help="a name is letters, digits and `-`")
        return None
    return name
