"""What the runtime can say of the language."""

from __future__ import annotations

from meshproof.compiler.backend.features import Capability, Feature, Support

_BY = {
    Feature.ASK: "the authorizers that a decision needs are named to whoever asks for it",
    Feature.AUDIT: "in the bundle; such a rule decides nothing",
    Feature.CLIENT_ADDRESS: "the last of x-forwarded-for, behind gateways with no trusted proxies before them",
    Feature.HEADER: "all but those of one connection, such as `upgrade` and `content-length`",
    Feature.CLOSED_NAMESPACE: "a destination that the bundle does not declare is refused, whatever its namespace",
    Feature.OBSERVE: "a refusal is told as observed, and lets through",
    Feature.METHOD_REGEX: "google-re2",
    Feature.PATH_SEGMENTS: "a trie of segments",
    Feature.PATH_REGEX: "google-re2",
    Feature.HEADER_REGEX: "google-re2",
    Feature.RAW_PATHS: "the language's own normal form",
    Feature.SELECTORS: "each proxy is told which service it is",
}

CAPABILITIES = tuple(
    Capability(feature, Support.UNSUPPORTED, "")
    if feature is Feature.FOREIGN_FILES
    else Capability(feature, Support.NATIVE, _BY.get(feature, "as the language says"))
    for feature in Feature
)
