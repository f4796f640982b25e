"""Trust domains in principals (pilot/pkg/security/trustdomain/bundle.go), and when an alias is just another name.

The bundle is our trust domain and its aliases. A principal of one of them, or of `cluster.local` by that name, means
that principal in all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

POINTER = "cluster.local"
_PARTS = 5


def expanded(value: str, bundle: tuple[str, ...]) -> tuple[str, ...]:
    """The principals that a value of `principals` or `source.principal` stands for."""
    parts = value.split("/")
    domain = parts[0]
    if len(parts) != _PARTS or domain == "*":
        return (value,)
    if domain != POINTER and not any(_is_named(domain, known) for known in bundle):
        return (value,)
    rest = value[len(domain) :]
    found = (value if _is_suffix_of(domain, known) else f"{known}{rest}" for known in bundle)
    return tuple(dict.fromkeys(found))


def expanded_domain(value: str, bundle: tuple[str, ...]) -> tuple[str, ...]:
    """The trust domains that a value of `trustDomains` stands for: patterns are as they are written."""
    return bundle if value in bundle else (value,)


def _is_named(pattern: str, domain: str) -> bool:
    """Whether the domain of a principal is the known one, or a pattern with one star at an end that takes it."""
    if pattern.startswith("*"):
        return domain.endswith(pattern[1:])
    return domain.startswith(pattern[:-1]) if pattern.endswith("*") else pattern == domain


def _is_suffix_of(pattern: str, domain: str) -> bool:
    return pattern.startswith("*") and len(pattern) > 1 and domain.endswith(pattern[1:])


def tells_apart_principals(values: Iterable[str], bundle: tuple[str, ...]) -> bool:
    """Whether the principals of one list take an identity under one domain of the bundle and not under another.

    Where no list does, an identity of an alias can be read as ours. In doubt it does.
    """
    covered: dict[str, set[str]] = {}
    for value in (one for given in values for one in expanded(given, bundle)):
        for domain, rest in _covered(value, bundle):
            covered.setdefault(rest, set()).add(domain)
    return any(0 < len(domains) < len(bundle) for domains in covered.values())


def tells_apart_domains(values: Iterable[str], bundle: tuple[str, ...]) -> bool:
    """The same of one list of trust domains."""
    given = [one for value in values for one in expanded_domain(value, bundle)]
    taken = {domain for domain in bundle if any(_is_named(value, domain) for value in given)}
    return 0 < len(taken) < len(bundle)


def _covered(value: str, bundle: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each domain of the bundle that a principal can be of, with what must come after the domain."""
    domain, slash, rest = value.partition("/")
    if value.startswith("*"):
        # The end of an ID: it reads the domain only if something of it stands before the first slash.
        if slash and domain != "*":
            yield from ((known, f"/{rest}") for known in bundle if known.endswith(domain[1:]))
    elif slash:
        yield from ((known, f"/{rest}") for known in bundle if known == domain)
    elif domain.endswith("*"):
        yield from ((known, "/*") for known in bundle if known.startswith(domain[:-1]))
