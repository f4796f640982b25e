"""What each field of an AuthorizationPolicy's rule asks of a request (pilot/pkg/security/authz/model)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from meshproof.compiler.ir.matchers import Exact, Present
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import (
    Attribute,
    Header,
    Method,
    Opaque,
    Path,
    Port,
    Predicate,
    RawAuthority,
    RemoteIp,
    SourceIp,
    Test,
    TokenIssuer,
    conjunction,
    disjunction,
    negation,
)
from meshproof.targets.common.tree import Entry, MapNode
from meshproof.targets.istio.lift import conditions, matchers
from meshproof.targets.istio.lift.conditions import Unmodelled
from meshproof.targets.istio.lift.header_lines import header_of, is_seen
from meshproof.targets.istio.lift.trust_domains import expanded, expanded_domain
from meshproof.targets.istio.lift.values import Text, text, texts

_Test = Callable[[str], Predicate]

_HTTP_FIELDS = frozenset(("requestPrincipals", "hosts", "methods", "paths"))
_HTTP_KEYS = "request."
_IDENTITY_FIELDS = frozenset(("principals", "namespaces", "serviceAccounts", "trustDomains"))


@dataclass(frozen=True, slots=True)
class Reading:
    """What the meaning of a field depends on besides itself.

    `namespace` is that of the policy, `bundle` our trust domains. `written` are headers that the proxies change before
    a rule reads them, in a way that is not modelled; of `stripped` ones that is so where there is a token.
    `is_ambient`: the proxy of the node reads it.
    """

    namespace: str
    bundle: tuple[str, ...]
    has_joined_headers: bool = False
    written: frozenset[Attribute] = frozenset()
    stripped: frozenset[Attribute] = frozenset()
    is_ambient: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """What one field asks of a request on an HTTP chain; `is_http`: the field does not exist on TCP.

    `on_tcp` is what it asks on a TCP chain, where the client is the peer. `name`, `is_negated` (a `not…` field) and
    `values` are as written. `is_identity`: it reads the identity of the peer and nothing else.
    """

    name: str
    is_negated: bool
    values: tuple[str, ...]
    predicate: Predicate
    on_tcp: Predicate
    is_http: bool
    is_identity: bool
    origin: Origin


def source_terms(source: MapNode, reading: Reading) -> tuple[Term, ...]:
    """The fields of a `source`."""
    return _terms(source, _source_tests(reading))


def operation_terms(operation: MapNode) -> tuple[Term, ...]:
    """The fields of an `operation`."""
    return _terms(operation, _OPERATION_TESTS)


def condition_terms(condition: MapNode, reading: Reading) -> tuple[Term, ...]:
    """A `when` condition: one term for its values and one for those that must not be."""
    key = text(condition.get("key")) or ""
    found: list[Term] = []
    for entry in condition.entries:
        if entry.key not in {"key", "values", "notValues"}:
            found.append(unknown_term(entry))
        elif entry.key != "key" and (values := texts(entry.value)):
            is_negated = entry.key == "notValues"
            found.append(_condition_term(key, values, reading, Origin(entry.key_span), is_negated=is_negated))
    return tuple(found)


def unknown_term(entry: Entry) -> Term:
    """A field that Istio does not know: whether it asks for something depends on who applies the policy."""
    origin = Origin(entry.key_span)
    opaque = Opaque(entry.key, origin)
    return Term(
        entry.key, is_negated=False, values=(), predicate=opaque, on_tcp=opaque, is_http=False, is_identity=False,
        origin=origin,
    )  # fmt: skip


def _terms(part: MapNode, tests: Mapping[str, _Test]) -> tuple[Term, ...]:
    found: list[Term] = []
    for entry in part.entries:
        name = entry.key if entry.key in tests else _positive(entry.key)
        if name not in tests:
            found.append(unknown_term(entry))
        elif values := texts(entry.value):
            test, on_tcp = tests[name], _on_tcp(name, tests[name])
            predicate = _met(test, values, is_negated=name != entry.key)
            found.append(
                Term(
                    name=name,
                    is_negated=name != entry.key,
                    values=_written(values),
                    predicate=predicate,
                    on_tcp=predicate if on_tcp is test else _met(on_tcp, values, is_negated=name != entry.key),
                    is_http=name in _HTTP_FIELDS,
                    is_identity=name in _IDENTITY_FIELDS,
                    origin=Origin(entry.key_span),
                )
            )
    return tuple(found)


def _positive(name: str) -> str:
    """The name of the field without its `not`."""
    rest = name.removeprefix("not")
    return rest[:1].lower() + rest[1:]


def _written(values: tuple[Text, ...]) -> tuple[str, ...]:
    return tuple(one.value for one in values)


def _met(test: _Test, values: tuple[Text, ...], *, is_negated: bool) -> Predicate:
    """Values are alternatives; a `not…` field holds if none of them is met, so also of what is absent."""
    met = disjunction(tuple(dict.fromkeys(test(one.value) for one in values)))
    return negation(met) if is_negated else met


def _on_tcp(name: str, test: _Test) -> _Test:
    return _address_test(SourceIp()) if name in {"remoteIpBlocks", "remote.ip"} else test


def _source_tests(reading: Reading) -> dict[str, _Test]:
    return {
        "principals": lambda value: _principal(value, reading),
        "requestPrincipals": matchers.request_principal_test,
        "namespaces": _namespace_test(reading),
        "serviceAccounts": lambda value: _account(value, reading),
        "trustDomains": lambda value: _trust_domain(value, reading),
        "ipBlocks": _address_test(SourceIp()),
        "remoteIpBlocks": _address_test(RemoteIp()),
    }


def _namespace_test(reading: Reading) -> _Test:
    return matchers.parsed_namespace_test if reading.is_ambient else matchers.namespace_test


def _account(value: str, reading: Reading) -> Predicate:
    test = matchers.parsed_account_test if reading.is_ambient else matchers.account_test
    return test(value, reading.namespace)


def _principal(value: str, reading: Reading) -> Predicate:
    if reading.is_ambient:
        return matchers.principal_test(value.removeprefix("spiffe://"))
    return disjunction(tuple(map(matchers.principal_test, expanded(value, reading.bundle))))


def _trust_domain(value: str, reading: Reading) -> Predicate:
    return disjunction(tuple(map(matchers.domain_test, expanded_domain(value, reading.bundle))))


def _address_test(attribute: Attribute) -> _Test:
    return lambda value: matchers.address_test(attribute, value)


def _port_test(value: str) -> Predicate:
    return Test(Port(), Exact(str(int(value))))


_OPERATION_TESTS: dict[str, _Test] = {
    "hosts": matchers.authority_test,
    "ports": _port_test,
    "methods": lambda value: Test(Method(), matchers.line_matcher(value)),
    "paths": lambda value: Test(Path(), matchers.path_matcher(value)),
}


def _condition_term(key: str, values: tuple[Text, ...], reading: Reading, origin: Origin, *, is_negated: bool) -> Term:
    test = _condition_test(key, reading, origin)
    predicate = Opaque(key, origin) if test is None else _met(test, values, is_negated=is_negated)
    on_tcp = predicate if test is None else _met(_on_tcp(key, test), values, is_negated=is_negated)
    return Term(
        name=key,
        is_negated=is_negated,
        values=_written(values),
        predicate=predicate,
        on_tcp=on_tcp,
        is_http=key.startswith(_HTTP_KEYS),
        is_identity=key in conditions.IDENTITY_KEYS,
        origin=origin,
    )


def _condition_test(key: str, reading: Reading, origin: Origin) -> _Test | None:
    """The test of one value; None for what is not modelled."""
    match key:
        case conditions.SOURCE_PRINCIPAL:
            return lambda value: _principal(value, reading)
        case conditions.SOURCE_NAMESPACE:
            return _namespace_test(reading)
        case conditions.SOURCE_ACCOUNT:
            return lambda value: _account(value, reading)
        case conditions.SOURCE_TRUST_DOMAIN:
            return lambda value: _trust_domain(value, reading)
        case conditions.REQUEST_PRINCIPAL:
            return matchers.request_principal_test
        case _:
            attribute = conditions.attribute_of(key)
            test = _attribute_test(attribute, reading)
            return test if test is None or attribute not in reading.stripped else _without_token(test, key, origin)


def _without_token(test: _Test, key: str, origin: Origin) -> _Test:
    """The test where no token was taken; with one, whether the header is still there depends on where that stood."""
    has_token = Test(TokenIssuer(), Present())
    beside = conjunction((has_token, Opaque(f"{key} beside a token", origin)))
    return lambda value: disjunction((beside, conjunction((negation(has_token), test(value)))))


def _attribute_test(attribute: Attribute | Unmodelled | None, reading: Reading) -> _Test | None:
    if attribute is None or isinstance(attribute, Unmodelled) or attribute in reading.written:
        return None
    match attribute:
        case Port():
            return _port_test
        case Header(name) if not is_seen(name):
            return None
        case Header(name):
            found = header_of(name, has_joined_headers=reading.has_joined_headers)
            return lambda value: Test(found, matchers.line_matcher(value))
        case RawAuthority() | Method():
            return lambda value: Test(attribute, matchers.line_matcher(value))
        case _:
            return _address_test(attribute) if conditions.is_address(attribute) else _text_test(attribute)


def _text_test(attribute: Attribute) -> _Test:
    return lambda value: Test(attribute, matchers.text_matcher(value))
