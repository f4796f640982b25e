"""What App Mesh can say of the language, a line for every feature."""

from __future__ import annotations

from meshproof.compiler.backend.features import Capability, Feature, Support

_ROWS: tuple[tuple[Feature, Support, str], ...] = (
    (Feature.ALLOW, Support.STRICTER, "names that a listener takes in; by request at the doors of a gate"),
    (Feature.DENY, Support.EMULATED, "folded into the names; by request as first routes of a door, to nobody"),
    (Feature.ASK, Support.UNSUPPORTED, ""),
    (Feature.ASK_BY_IDENTITY, Support.UNSUPPORTED, ""),
    (Feature.AUDIT, Support.UNSUPPORTED, ""),
    (Feature.OBSERVE, Support.STRICTER, "listeners with mode PERMISSIVE and no names, at declared ports"),
    (Feature.CLOSED_NAMESPACE, Support.EMULATED, "NetworkPolicies in Kubernetes; elsewhere nothing is closed"),
    (Feature.IDENTITY_SOURCE, Support.STRICTER, "subjectAlternativeNames: those that the policy names, no patterns"),
    (Feature.PLAINTEXT_SOURCE, Support.UNSUPPORTED, ""),
    (Feature.SOURCE_ADDRESS, Support.UNSUPPORTED, ""),
    (Feature.CLIENT_ADDRESS, Support.UNSUPPORTED, ""),
    (Feature.METHOD, Support.EMULATED, "match.method, a route each"),
    (Feature.METHOD_REGEX, Support.STRICTER, "match.method, a route for each one that it takes"),
    (Feature.PATH_SEGMENTS, Support.STRICTER, "match.path: exact and regex of at most 255 characters"),
    (Feature.PATH_INTERSECTION, Support.UNSUPPORTED, ""),
    (Feature.PATH_REGEX, Support.STRICTER, "match.path.regex of at most 255 characters"),
    (Feature.HOST, Support.UNSUPPORTED, ""),
    (Feature.HEADER, Support.STRICTER, "match.headers"),
    (Feature.HEADER_REGEX, Support.STRICTER, "match.headers.match.regex"),
    (Feature.EMPTY_VALUE, Support.STRICTER, "of headers; not of query parameters"),
    (Feature.QUERY, Support.STRICTER, "match.queryParameters, one value"),
    (Feature.SNI, Support.UNSUPPORTED, ""),
    (Feature.TOKEN, Support.UNSUPPORTED, ""),
    (Feature.CLAIM, Support.UNSUPPORTED, ""),
    (Feature.TOKEN_PLACES, Support.UNSUPPORTED, ""),
    (Feature.TOKEN_STRIP, Support.UNSUPPORTED, ""),
    (Feature.FOREIGN_TRUST, Support.UNSUPPORTED, ""),
    (Feature.TRUST_ALIASES, Support.UNSUPPORTED, ""),
    (Feature.MTLS_MODES, Support.STRICTER, "tls.mode; where plaintext is taken, only if all may do everything"),
    (Feature.MTLS_PORTS, Support.NATIVE, "a listener each"),
    (Feature.ROUTE_MATCH, Support.NATIVE, "route match: path, method, headers, query; kept by callers"),
    (Feature.ROUTE_NEGATION, Support.EMULATED, "of headers: invert, and a route for those without it"),
    (Feature.ROUTE_SPLIT, Support.NATIVE, "weightedTargets: a virtual node for each version"),
    (Feature.ROUTE_SETTINGS, Support.STRICTER, "timeouts, and retries at some events; nothing else"),
    (Feature.LIMITS, Support.STRICTER, "outlierDetection, and some bounds of connectionPool; nothing else"),
    (Feature.GATEWAY, Support.STRICTER, "virtual gateways, whose routes keep what services behind them let in"),
    (Feature.EXTERNAL, Support.STRICTER, "a virtual node for each host that is called without TLS; kept by callers"),
    (Feature.EXTERNAL_OPERATIONS, Support.STRICTER, "nobody who may ask for some of it alone gets there"),
    (Feature.EGRESS_CLOSED, Support.NATIVE, "DROP_ALL; kept by callers"),
    (Feature.RAW_PATHS, Support.STRICTER, "by regex of a door"),
    (Feature.SELECTORS, Support.NATIVE, "a virtual node for each workload"),
    (Feature.FOREIGN_FILES, Support.UNSUPPORTED, ""),
)

CAPABILITIES = tuple(Capability(feature, support, by) for feature, support, by in _ROWS)
