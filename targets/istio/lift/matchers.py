"""Values of an AuthorizationPolicy as tests, field by field: only one star at an end is special, and not everywhere.

What a star means in which field is in `compiler.patterns.istio_forms`; here it becomes the IR's.
"""

from __future__ import annotations

from ipaddress import ip_network

from meshproof.compiler.ir.matchers import Cidr, Exact, Matcher, Prefix, Present, Regex, Suffix, Template
from meshproof.compiler.ir.predicate import (
    Attribute,
    Predicate,
    RawAuthority,
    SourceIdentity,
    Test,
    TokenIssuer,
    TokenSubject,
    conjunction,
)
from meshproof.compiler.patterns import istio_forms, pattern
from meshproof.compiler.patterns import template as templates

_ANY_IDENTITY = Test(SourceIdentity(), Present())


def _matcher(found: pattern.Pattern) -> Matcher:
    match found:
        case pattern.Exact(value, ignore_case):
            return Exact(value, ignore_case)
        case pattern.Prefix(value, ignore_case):
            return Prefix(value, ignore_case)
        case pattern.Suffix(value, ignore_case):
            return Suffix(value, ignore_case)
        case pattern.Regex(text):
            return Regex(text)
        case pattern.AnyText():
            return Present()
        case templates.Template(text):
            return Template(text)
        case _:
            raise AssertionError(found)


def text_matcher(value: str) -> Matcher:
    """Claims, server names: `*` is any text that is not empty."""
    return _matcher(istio_forms.string_pattern(value))


def line_matcher(value: str) -> Matcher:
    """Headers and methods: `*` is presence."""
    return _matcher(istio_forms.present_pattern(value))


def authority_test(value: str) -> Predicate:
    """Hosts: `:authority` as sent, without case, the port a part of it."""
    return Test(RawAuthority(), _matcher(istio_forms.host_pattern(value)))


def path_matcher(value: str) -> Matcher:
    """Paths: a template where an operator of one is in the value."""
    return _matcher(istio_forms.path_pattern(value))


def principal_test(value: str) -> Predicate:
    """Principals, without the scheme."""
    return _ANY_IDENTITY if value == "*" else _identity(istio_forms.principal_pattern(value))


def namespace_test(value: str) -> Predicate:
    """Namespaces, of any trust domain."""
    return _identity(istio_forms.namespace_pattern(value))


def account_test(value: str, policy_namespace: str) -> Predicate:
    """Service accounts, of any trust domain; without a namespace in that of the policy."""
    return _identity(istio_forms.service_account_pattern(value, policy_namespace))


def parsed_namespace_test(value: str) -> Predicate:
    """Namespaces as the proxy of a node compares them, which takes identities apart: one star at an end is special."""
    quoted = istio_forms.quote
    if value == "*":
        name = "[^/]+"
    elif value.startswith("*"):
        name = f"[^/]*{quoted(value[1:])}"
    elif value.endswith("*"):
        name = f"{quoted(value[:-1])}[^/]*"
    else:
        name = quoted(value)
    return Test(SourceIdentity(), Regex(f"spiffe://[^/]+/ns/{name}/sa/[^/]+"))


def parsed_account_test(value: str, policy_namespace: str) -> Predicate:
    """Service accounts as the proxy of a node compares them."""
    namespace, slash, account = value.partition("/")
    if not slash:
        namespace, account = policy_namespace, value
    path = f"/ns/{istio_forms.quote(namespace)}/sa/{istio_forms.quote(account)}"
    return Test(SourceIdentity(), Regex(f"spiffe://[^/]+{path}"))


def domain_test(value: str) -> Predicate:
    """Trust domains."""
    return _identity(istio_forms.trust_domain_pattern(value))


def request_principal_test(value: str) -> Predicate:
    """Issuer and subject of the token, both."""
    issuer, subject = istio_forms.request_principal_patterns(value)
    return conjunction((Test(TokenIssuer(), _matcher(issuer)), Test(TokenSubject(), _matcher(subject))))


def address_test(attribute: Attribute, value: str) -> Predicate:
    """An address or a block of them."""
    return Test(attribute, Cidr(str(ip_network(value, strict=False))))


def _identity(found: pattern.Pattern) -> Predicate:
    return Test(SourceIdentity(), _matcher(found))
