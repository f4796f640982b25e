"""Rules and requests that decisions are timed with: one account, one service, one or two methods, one path pattern."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.mesh import Mesh

ACCOUNTS, SERVICES, REQUESTS = 200, 200, 2_000

Asked = tuple[int, int, str, str]
"""Numbers of the account and the service, the method and the path."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An account may call a service; `path` is a segment pattern of the language."""

    account: int
    service: int
    methods: tuple[str, ...]
    path: str


@cache
def rules(count: int) -> tuple[Rule, ...]:
    """As many rules, the same each time."""
    rng = Random(count)  # noqa: S311  the same each time
    return tuple(
        Rule(
            rng.randrange(ACCOUNTS),
            rng.randrange(SERVICES),
            rng.choice((("GET",), ("GET", "HEAD"), ("POST",))),
            _pattern(rng),
        )
        for _ in range(count)
    )


def _pattern(rng: Random) -> str:
    stem = f"/api/v{rng.randrange(3)}/r{rng.randrange(40)}"
    return rng.choice((stem, f"{stem}/**", f"{stem}/{{id}}", f"{stem}/{{id}}/items"))


@cache
def mesh(count: int) -> Mesh:
    """The rules as a policy."""
    head = 'mesh bench { language 1  trust-domain "cluster.local"  namespace n  mtls strict }'
    services = [f"service s{number} {{ account a{number}  port http 8080 }}" for number in range(SERVICES)]
    allows = [
        f"allow r{number}: s{one.account} -> s{one.service}:http {{ {'|'.join(one.methods)} {one.path} }}"
        for number, one in enumerate(rules(count))
    ]
    return policy_of_texts({"bench.mesh": "\n".join((head, *services, *allows))}).meshes[0]


def asked(count: int, requests: int = REQUESTS) -> list[Asked]:
    """Requests whose strings no dictionary has seen: every other one is what some rule allows."""
    rng = Random(7)  # noqa: S311  the same each time
    found = []
    for number in range(requests):
        rule = rng.choice(rules(count))
        account, path = rule.account, rule.path.replace("{id}", str(number)).replace("**", f"x/{number}")
        if number % 2:
            account, path = rng.randrange(ACCOUNTS), f"/other/{number}"
        found.append((account, rule.service, "".join(list(rule.methods[0])), path))
    return found
