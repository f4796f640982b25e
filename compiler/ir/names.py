"""Names of things and where they come from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType

from meshproof.dsl.source import Span

RuleId = NewType("RuleId", str)
"""The name of an authorization rule, unique in its mesh; `NAMESPACE/NAME[INDEX]` for lifted Istio rules.

Where such a rule is not the same everywhere (on TCP, or at workloads where part of it is not modelled), each form is a
rule of its own, named `NAMESPACE/NAME[INDEX]@FORM`.
"""

_FORM = re.compile(r"(?<=\])@[a-z0-9-]+\Z")

NodeName = NewType("NodeName", str)
"""The name of a service, gateway or external; `NAMESPACE/NAME` for lifted workloads."""

IssuerName = NewType("IssuerName", str)
AuthorizerName = NewType("AuthorizerName", str)

_SPIFFE = re.compile(r"spiffe://([a-z0-9._-]{1,255})((?:/[A-Za-z0-9._-]+)+)")


def written_name(rule: RuleId) -> str:
    """The rule as people know it: one name for all its forms."""
    return _FORM.sub("", rule)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written, and the chain of uses (innermost first) that brought it here."""

    span: Span
    chain: tuple[Span, ...] = ()


NOWHERE = Origin(Span("", 0, 0))
"""The origin of what was read from a text that tells none."""


@dataclass(frozen=True, slots=True, order=True)
class SpiffeId:
    """A SPIFFE ID (SPIFFE-ID specification, section 2): `path` begins with a slash."""

    trust_domain: str
    path: str

    @property
    def uri(self) -> str:
        """The identity as it stands in an SVID, `spiffe://trust-domain/path`."""
        return f"spiffe://{self.trust_domain}{self.path}"

    @classmethod
    def of_account(cls, trust_domain: str, namespace: str, account: str) -> SpiffeId:
        """The identity that Kubernetes meshes give a service account."""
        return cls(trust_domain, f"/ns/{namespace}/sa/{account}")

    @classmethod
    def parse(cls, uri: str) -> SpiffeId | None:
        """The parts of a URI, or None where it is not a SPIFFE ID of a workload (dot segments are refused)."""
        match = _SPIFFE.fullmatch(uri)
        if match is None or len(uri) > 2048 or any(part in {".", ".."} for part in match[2].split("/")):  # noqa: PLR2004
            return None
        return cls(match[1], match[2])
