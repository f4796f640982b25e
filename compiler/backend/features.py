"""What a target may or may not be able to say, as data that documents and diagnostics read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Feature(StrEnum):
    """One thing of the language that a target can have or lack."""

    ALLOW = "allow rules"
    DENY = "deny rules"
    ASK = "ask rules"
    ASK_BY_IDENTITY = "ask rules that look at source or token"
    AUDIT = "audit rules"
    OBSERVE = "observed services"
    CLOSED_NAMESPACE = "closed namespaces"
    IDENTITY_SOURCE = "sources by identity"
    PLAINTEXT_SOURCE = "sources without identity"
    SOURCE_ADDRESS = "conditions on source.ip"
    CLIENT_ADDRESS = "conditions on client.ip"
    METHOD = "conditions on the method"
    METHOD_REGEX = "regular expressions on the method"
    PATH_SEGMENTS = "path patterns"
    PATH_INTERSECTION = "several conditions on one path"
    PATH_REGEX = "regular expressions on the path"
    HOST = "conditions on the host"
    HEADER = "conditions on headers"
    HEADER_REGEX = "regular expressions on headers"
    EMPTY_VALUE = "comparison with an empty value"
    QUERY = "conditions on query parameters"
    SNI = "conditions on the server name"
    TOKEN = "conditions on the token"  # noqa: S105  not a secret
    CLAIM = "conditions on claims"
    TOKEN_PLACES = "issuers with tokens in several places"  # noqa: S105
    TOKEN_STRIP = "tokens that are taken off"  # noqa: S105
    FOREIGN_TRUST = "foreign trust domains"
    TRUST_ALIASES = "aliases of the trust domain"
    MTLS_MODES = "mTLS modes"
    MTLS_PORTS = "mTLS modes of single ports"
    ROUTE_MATCH = "conditions of routes"
    ROUTE_NEGATION = "negated conditions of routes"
    ROUTE_SPLIT = "weighted routes"
    ROUTE_SETTINGS = "timeouts, retries, mirrors, rewrites and header edits"
    LIMITS = "limits and ejection"
    GATEWAY = "gateways"
    EXTERNAL = "externals"
    EXTERNAL_OPERATIONS = "operations on externals"
    EGRESS_CLOSED = "closed egress"
    RAW_PATHS = "refusal of raw paths with two readings"
    SELECTORS = "workloads told apart by labels"
    FOREIGN_FILES = "constructs of foreign files"


class Support(StrEnum):
    """How well. Everything but `UNSUPPORTED` keeps the policy, or refuses more and lists it."""

    NATIVE = "native"
    EMULATED = "emulated"
    STRICTER = "stricter"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Capability:
    """How a target supports a feature, and by which of its own words."""

    feature: Feature
    support: Support
    by: str


Capabilities = tuple[Capability, ...]


def support_of(capabilities: Capabilities, feature: Feature) -> Support:
    """The support of a feature; what is not listed is unsupported."""
    for capability in capabilities:
        if capability.feature is feature:
            return capability.support
    return Support.UNSUPPORTED
