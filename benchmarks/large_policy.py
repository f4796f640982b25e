"""A large policy as organisations write them: services in namespaces, zones, callers of one destination or of many.

The same for the same numbers. Most rules let a few services do a few things at one; some speak of everything that has
a tag or is in a namespace; denies take sets out of sets; a few read headers, queries and tokens, or take anyone.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

_AREAS = ("shop", "pay", "ship", "find", "mail", "user", "stock", "price", "risk", "ops")
_TAGS = ("pci", "pii", "batch", "public")
_VERBS = ("GET", "GET", "GET", "POST", "PUT", "DELETE")
_NOUNS = ("orders", "items", "carts", "users", "quotes", "events", "reports", "sessions", "invoices", "stock")


def policy_text(services: int, rules: int, *, claims: int = 40) -> str:
    """The text of one file, sound and without findings of MP1 and MP2."""
    random = Random(f"{services} {rules}")  # noqa: S311  the same policy each time
    names = [f"{_AREAS[number % len(_AREAS)]}-{number}" for number in range(services)]
    lines = [*_head(), *_services(random, names), *_rules(random, names, rules), *_proofs(random, names, claims)]
    return "\n".join(lines) + "\n"


def _head() -> Iterator[str]:
    yield "mesh bench {"
    yield "    language 1"
    yield '    trust-domain "cluster.local"'
    yield f"    namespace {_AREAS[0]}"
    yield "    mtls strict"
    yield "}"
    yield 'issuer idp { url "https://idp.example" jwks "https://idp.example/keys" audiences "bench" }'
    yield "gateway edge {"
    yield "    namespace ops"
    yield "    account edge"
    yield '    labels { app: "edge" }'
    yield '    hosts "www.example.com"'
    yield "    port https 443 -> 8443"
    yield '    certificate "www"'
    yield "}"
    for area in _AREAS:
        yield f'namespace {area} {{ owner "team-{area}" }}'


def _services(random: Random, names: list[str]) -> Iterator[str]:
    for number, name in enumerate(names):
        tags = random.sample(_TAGS, k=random.choice((0, 0, 1, 1, 2)))
        accepts = " accepts idp" if number % 5 == 0 else ""
        tagged = f" tags {', '.join(tags)}" if tags else ""
        port = "port grpc 50051" if number % 4 == 0 else "port http 8080"
        extra = " port tcp 5432" if number % 9 == 0 else ""
        yield f"service {name} {{ namespace {_AREAS[number % len(_AREAS)]} {port}{extra}{tagged}{accepts} }}"


def _rules(random: Random, names: list[str], count: int) -> Iterator[str]:
    """Few rules speak of many services, in a large policy too: some that everybody has, and one in 250."""
    wide, denies, conditional = (min(least, count // 10) + count // 250 for least in (20, 30, 40))
    for number in range(count):
        if number < wide:
            yield _wide(random, number)
        elif number < wide + denies:
            yield _deny(random, names, number)
        elif number < wide + denies + conditional:
            yield _conditional(random, names, number)
        else:
            yield _narrow(random, names, number)


def _narrow(random: Random, names: list[str], number: int) -> str:
    """A few callers, one destination, some operations."""
    callers = ", ".join(random.sample(names, k=random.choice((1, 1, 1, 2, 3))))
    place = random.randrange(len(names))
    port = "grpc" if place % 4 == 0 else "http"
    return f"allow r{number}: {{ {callers} }} -> {names[place]}:{port} {{ {_operations(random, place)} }}"


def _operations(random: Random, place: int) -> str:
    if place % 4 == 0:
        methods = sorted({random.randrange(12) for _ in range(random.choice((1, 2)))})
        return "  ".join(f"call bench.Service{place}/Method{method}" for method in methods)
    nouns = random.sample(_NOUNS, k=random.choice((1, 1, 2, 3)))
    paths = (f"/api/v{random.choice((1, 1, 2))}/{noun}{_tail(random)}" for noun in nouns)
    return "  ".join(f"{random.choice(_VERBS)} {path}" for path in paths)


def _tail(random: Random) -> str:
    return random.choice(("", "/**", "/{id}", "/{id}/lines", "/*/lines/**"))


def _wide(random: Random, number: int) -> str:
    """What a platform lets in everywhere: health checks, metrics, an operator of a namespace."""
    area, tag = random.choice(_AREAS), random.choice(_TAGS)
    return random.choice(
        (
            f"allow r{number}: namespace ops -> namespace {area} {{ GET /healthz }}",
            f"allow r{number}: tagged batch -> tagged {tag} {{ GET /metrics/m{random.randrange(20)} }}",
            f'allow r{number}: anyone -> namespace {area} {{ GET /status because "it tells nothing" }}',
        )
    )


def _deny(random: Random, names: list[str], number: int) -> str:
    area, tag = random.choice(_AREAS), random.choice(_TAGS)
    return random.choice(
        (
            f"deny r{number}: namespace {area} -> tagged {tag} {{ DELETE /api/v2/users/** }}",
            f"deny r{number}: tagged public -> {{ {', '.join(random.sample(names, k=3))} }} {{ * /internal/** }}",
            f"deny r{number}: anyone except namespace {area} -> tagged pci {{ * /admin/** }}",
        )
    )


def _conditional(random: Random, names: list[str], number: int) -> str:
    place = random.randrange(0, len(names), 5) | 1
    name = names[min(place, len(names) - 1)]
    caller = random.choice(names)
    return random.choice(
        (
            f'allow r{number}: {caller} -> {name} {{ GET /api/** when header["x-tenant"] == "t{number % 7}" }}',
            f'allow r{number}: {caller} -> {name} {{ GET /find when query["page"] matches re"[0-9]+" }}',
        )
    )


def _proofs(random: Random, names: list[str], count: int) -> Iterator[str]:
    yield 'prove "bench" {'
    for _ in range(count):
        name = random.choice(names)
        yield "    " + random.choice(
            (
                f"no request from namespace {random.choice(_AREAS)} to {name} DELETE /api/v1/orders/**",
                f"every request to {name} is mtls",
                f"no request from plaintext to tagged {random.choice(_TAGS)}",
                f"only authenticated reaches {name}",
                f"no request from anyone to {name} GET /api/v1/orders/**",
                f"every request to {name} is GET /api/**",
            )
        )
    yield "}"
