"""What a lift depends on besides the files: the `--option` pairs, read without a look at any file."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.dsl.diagnostic import Diagnostic, Severity

TRUST_DOMAIN = "istio.trust-domain"
ALIASES = "istio.aliases"
ROOT_NAMESPACE = "istio.root-namespace"
PATH_NORMALIZATION = "istio.path-normalization"
TRUSTED_PROXIES = "istio.trusted-proxies"
HEADER_VALUES = "istio.header-values"
CUSTOM_PROVIDERS = "istio.custom-providers"
CLUSTER_DOMAIN = "istio.cluster-domain"

KEYS = (
    TRUST_DOMAIN,
    ALIASES,
    ROOT_NAMESPACE,
    PATH_NORMALIZATION,
    TRUSTED_PROXIES,
    HEADER_VALUES,
    CUSTOM_PROVIDERS,
    CLUSTER_DOMAIN,
)

_CHOICES = {
    PATH_NORMALIZATION: ("NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"),
    HEADER_VALUES: ("each", "joined"),
    CUSTOM_PROVIDERS: ("one", "many"),
}


def read_settings(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], tuple[Diagnostic, ...]]:
    """The pairs for Istio that can be taken, and MP709 for each that cannot. Pairs for other targets are not ours."""
    taken: dict[str, str] = {}
    refused: list[Diagnostic] = []
    for key, value in pairs:
        if not key.startswith("istio."):
            continue
        reason = _refusal(key, value)
        if reason is None:
            taken[key] = value
        else:
            refused.append(_finding(*reason))
    return taken, tuple(refused)


def _refusal(key: str, value: str) -> tuple[str, str] | None:
    """What is wrong with the pair, and advice."""
    if key not in KEYS:
        return f"Istio has no option `{key}`", f"the options are {', '.join(KEYS)}"
    choices = _CHOICES.get(key)
    if choices is not None and value not in choices:
        return f"`{key}` is none of its values: `{value}`", f"it is one of {', '.join(choices)}"
    if key == TRUSTED_PROXIES and not (value.isascii() and value.isdecimal()):
        return f"`{key}` is no number: `{value}`", "it is the number of proxies before the gateways"
    return None


def _finding(message: str, advice: str) -> Diagnostic:
    return Diagnostic("MP709", Severity.ERROR, message, help=advice, fingerprint=f"istio-lift:MP709:{message}")
