"""Trust domains: ours, its aliases, and the foreign ones whose identities are verified."""

from __future__ import annotations

import re
from dataclasses import dataclass

from meshproof.compiler.ir.names import SpiffeId

_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")


def is_trust_domain(text: str) -> bool:
    """Whether the text is a trust domain name (SPIFFE-ID specification, section 2.1)."""
    return _DOMAIN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class TrustDomains:
    """`own` stands for all of `aliases`: whoever names an alias is read as if they had named it."""

    own: str
    aliases: tuple[str, ...] = ()
    trusts: tuple[str, ...] = ()

    def canonical(self, domain: str) -> str | None:
        """The domain by which identities of `domain` are known here, or None where none is ever verified."""
        if domain == self.own or domain in self.aliases:
            return self.own
        return domain if domain in self.trusts else None

    def identity(self, uri: str) -> SpiffeId | None:
        """The identity in its canonical domain; None if it is no SPIFFE ID or of a domain that is not trusted."""
        parsed = SpiffeId.parse(uri)
        domain = None if parsed is None else self.canonical(parsed.trust_domain)
        return None if parsed is None or domain is None else SpiffeId(domain, parsed.path)
