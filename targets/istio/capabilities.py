"""What Istio can say of the language, a line for every feature."""

from __future__ import annotations

from meshproof.compiler.backend.features import Capability, Feature, Support

_ROWS: tuple[tuple[Feature, Support, str], ...] = (
    (Feature.ALLOW, Support.NATIVE, "AuthorizationPolicy, action ALLOW, beside one that allows nothing"),
    (Feature.DENY, Support.NATIVE, "AuthorizationPolicy, action DENY, always with ports"),
    (Feature.ASK, Support.NATIVE, "AuthorizationPolicy, action CUSTOM, and an extension provider"),
    (Feature.ASK_BY_IDENTITY, Support.STRICTER, "every request that could match is asked"),
    (Feature.AUDIT, Support.NATIVE, "the annotation istio.io/dry-run; not for ask, nor for externals without via"),
    (Feature.OBSERVE, Support.EMULATED, "dry run of all policies, permissive mTLS, no tokens read"),
    (Feature.CLOSED_NAMESPACE, Support.NATIVE, "policies without selector, but not in the root namespace"),
    (Feature.IDENTITY_SOURCE, Support.NATIVE, "principals; at gateways nobody has an identity"),
    (Feature.PLAINTEXT_SOURCE, Support.NATIVE, "notPrincipals"),
    (Feature.SOURCE_ADDRESS, Support.NATIVE, "source.ip"),
    (Feature.CLIENT_ADDRESS, Support.STRICTER, "remote.ip, behind gateways with no trusted proxies before them"),
    (Feature.METHOD, Support.NATIVE, "methods"),
    (Feature.METHOD_REGEX, Support.UNSUPPORTED, ""),
    (Feature.PATH_SEGMENTS, Support.STRICTER, "paths: values, prefixes and templates; raw brackets match no `{*}`"),
    (Feature.PATH_INTERSECTION, Support.STRICTER, "as far as one pattern includes the other"),
    (Feature.PATH_REGEX, Support.UNSUPPORTED, ""),
    (Feature.HOST, Support.EMULATED, "hosts, with and without port and last dot"),
    (
        Feature.HEADER,
        Support.STRICTER,
        "request.headers; the lines of `user-agent` and the like are joined",
    ),
    (Feature.HEADER_REGEX, Support.UNSUPPORTED, ""),
    (Feature.EMPTY_VALUE, Support.UNSUPPORTED, ""),
    (Feature.QUERY, Support.UNSUPPORTED, "in rules; routes look at queryParams"),
    (Feature.SNI, Support.NATIVE, "connection.sni"),
    (Feature.TOKEN, Support.NATIVE, "request.auth.claims[iss] and [sub], request.auth.audiences and .presenter"),
    (Feature.CLAIM, Support.NATIVE, "request.auth.claims"),
    (Feature.TOKEN_PLACES, Support.NATIVE, "fromHeaders, fromParams, fromCookies"),
    (Feature.TOKEN_STRIP, Support.NATIVE, "forwardOriginalToken"),
    (Feature.FOREIGN_TRUST, Support.NATIVE, "principals of that domain; its authority is to be configured by hand"),
    (Feature.TRUST_ALIASES, Support.NATIVE, "trustDomainAliases, and written out where Istio does not expand them"),
    (Feature.MTLS_MODES, Support.NATIVE, "PeerAuthentication by selector, but not in the root namespace"),
    (Feature.MTLS_PORTS, Support.NATIVE, "portLevelMtls"),
    (Feature.ROUTE_MATCH, Support.NATIVE, "VirtualService match: path, method, host, headers, query, namespace"),
    (Feature.ROUTE_NEGATION, Support.STRICTER, "of headers alone: withoutHeaders"),
    (Feature.ROUTE_SPLIT, Support.NATIVE, "weights and subsets"),
    (
        Feature.ROUTE_SETTINGS,
        Support.NATIVE,
        "timeout, retries, mirrors, rewrite, headers, corsPolicy, fault",
    ),
    (Feature.LIMITS, Support.NATIVE, "connectionPool, outlierDetection, loadBalancer"),
    (Feature.GATEWAY, Support.NATIVE, "Gateway, with hosts of its own namespace"),
    (Feature.EXTERNAL, Support.NATIVE, "ServiceEntry, exported where it is called"),
    (Feature.EXTERNAL_OPERATIONS, Support.EMULATED, "through a gateway, by via, for hosts written out"),
    (Feature.EGRESS_CLOSED, Support.NATIVE, "Sidecar with REGISTRY_ONLY, a whole external at a time"),
    (Feature.RAW_PATHS, Support.STRICTER, "pathNormalization DECODE_AND_MERGE_SLASHES, set by option"),
    (Feature.SELECTORS, Support.STRICTER, "matchLabels, where no workload has all labels of another"),
    (Feature.FOREIGN_FILES, Support.UNSUPPORTED, ""),
)

CAPABILITIES = tuple(Capability(feature, support, by) for feature, support, by in _ROWS)
