"""The strings of Istio's AuthorizationPolicy as patterns, field by field (istio/istio, pilot/pkg/security/authz).

Only one leading or one trailing `*` is special, and what it means differs from field to field. Identities are compared
with the peer's whole SPIFFE ID. A missing value matches none of these patterns; that is the caller's to say.
"""

from __future__ import annotations

import re

from meshproof.compiler.patterns.pattern import AnyText, Exact, Pattern, Prefix, Regex, Suffix
from meshproof.compiler.patterns.template import is_template, parse_template

_SCHEME = "spiffe://"
_NON_EMPTY = ".+"
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def quote(text: str) -> str:
    """The text as an RE2 expression that matches it alone (Go's regexp.QuoteMeta)."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def string_pattern(value: str) -> Pattern:
    """Claims, SNI, paths without templates: `*` is any text that is not empty and holds no line end."""
    return Regex(_NON_EMPTY) if value == "*" else _affix(value)


def present_pattern(value: str) -> Pattern:
    """Headers and methods: `*` is presence, of the empty value too."""
    return AnyText() if value == "*" else _affix(value)


def host_pattern(value: str) -> Pattern:
    """Hosts: like headers, but without case. The port is a part of the value."""
    return AnyText() if value == "*" else _affix(value, ignore_case=True)


def path_pattern(value: str) -> Pattern:
    """Paths: a template if it has an operator of one, else a string. Raises PatternRefused for a bad template."""
    return parse_template(value) if is_template(value) else string_pattern(value)


def principal_pattern(value: str) -> Pattern:
    """Principals: without the scheme; a star inside is itself, and `*x` is any ID that ends with `x`."""
    if value == "*":
        return Regex(_NON_EMPTY)
    if value.startswith("*"):
        return Regex(f"{_SCHEME}.*{quote(value[1:])}")
    if value.endswith("*"):
        return Prefix(_SCHEME + value[:-1])
    return Exact(_SCHEME + value)


def namespace_pattern(value: str) -> Pattern:
    """Namespaces: every `*` is any text, slashes too, and `/ns/N/` may stand anywhere in the ID."""
    return Regex(f".*/ns/{_starred(value, '.*')}/.*")


def stands_anywhere(expression: str) -> bool:
    """Whether the expression is that of a namespace or service account, which is looked for anywhere in an ID."""
    return expression.startswith((".*/ns/", f"{_SCHEME}.+/ns/"))


def service_account_pattern(value: str, policy_namespace: str) -> Pattern:
    """Service accounts: `NAMESPACE/ACCOUNT`, or `ACCOUNT` in the namespace of the policy; no wildcards."""
    namespace, slash, account = value.partition("/")
    if not slash:
        namespace, account = policy_namespace, value
    return Regex(f"{_SCHEME}.+/ns/{quote(namespace)}/(.+/|)sa/{quote(account)}(/.+)?")


def trust_domain_pattern(value: str) -> Pattern:
    """Trust domains: `*` is any, one star at an end any text without a slash."""
    if value == "*":
        return Prefix(_SCHEME)
    if "*" not in value:
        return Prefix(f"{_SCHEME}{value}/")
    return Regex(f"{_SCHEME}{_starred(value, '[^/]*')}/.*")


def request_principal_patterns(value: str) -> tuple[Pattern, Pattern]:
    """Request principals: the patterns of issuer and subject, which must both match; split at the last slash."""
    if value == "*":
        return Regex(_NON_EMPTY), Regex(_NON_EMPTY)
    issuer, slash, subject = value.rpartition("/")
    if value.startswith("*"):
        return (string_pattern(issuer), Exact(subject)) if slash else (Regex(_NON_EMPTY), _affix(value))
    if value.endswith("*"):
        # Here the star that counts is the last one: in `issuer/*a*` the first stands for itself.
        rest = Regex(_NON_EMPTY) if subject == "*" else Prefix(subject[:-1])
        return (Exact(issuer), rest) if slash else (_affix(value), Regex(_NON_EMPTY))
    return (Exact(issuer), Exact(subject)) if slash else (Exact(value), Exact(""))


def _affix(value: str, *, ignore_case: bool = False) -> Pattern:
    """A leading star first: `*a*` ends with `a*`, star and all."""
    if value.startswith("*"):
        return Suffix(value[1:], ignore_case)
    if value.endswith("*"):
        return Prefix(value[:-1], ignore_case)
    return Exact(value, ignore_case)


def _starred(value: str, meaning: str) -> str:
    return meaning.join(map(quote, value.split("*")))
