"""Random meshes: `random_mesh` from a seed, for bulk runs, and `meshes` for Hypothesis; one generator behind both."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st
from tests.strategies import vocabulary as words
from tests.strategies.entities import (
    random_authorizers,
    random_externals,
    random_gateways,
    random_issuers,
    random_mtls,
    random_namespaces,
    random_services,
    some,
)
from tests.strategies.predicates import origin
from tests.strategies.routes import random_routes
from tests.strategies.rules import random_rule

from meshproof.compiler.ir.entities import Node
from meshproof.compiler.ir.mesh import Egress, Mesh, PathMode

DAY = words.DAY


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is at most. `is_lifted` adds what foreign files alone hold: other defaults, layers, opaque."""

    services: int = 4
    rules: int = 8
    gateways: int = 2
    externals: int = 2
    route_share: float = 0.5
    is_lifted: bool = False


SMALL = Size()
TINY = Size(services=2, rules=3, gateways=1, externals=1)
LARGE = Size(services=40, rules=200)
LIFTED = Size(is_lifted=True)


def seeded(seed: int) -> Random:
    """What draws the same from the same seed."""
    return Random(seed)  # noqa: S311  for examples, not for secrets


def random_mesh(rng: Random, size: Size = SMALL) -> Mesh:
    """A mesh that resolve could have made (or a lift, if `size` says so). `LARGE` has exactly 200 rules."""
    issuers = random_issuers(rng, is_lifted=size.is_lifted)
    is_small = size.rules < LARGE.rules
    services = random_services(
        rng, rng.randint(1, size.services) if is_small else size.services, issuers, is_lifted=size.is_lifted
    )
    gateways = random_gateways(rng, rng.randint(0, size.gateways), issuers, is_lifted=size.is_lifted)
    externals = random_externals(rng, rng.randint(0, size.externals), gateways)
    authorizers = random_authorizers(rng)
    nodes: tuple[Node, ...] = (*services, *gateways, *externals)
    count = rng.randint(1, size.rules) if is_small else size.rules
    return Mesh(
        name="random",
        language=1,
        trust_domain=words.TRUST_DOMAIN,
        namespace="shop",
        origin=origin(),
        aliases=rng.choice(((), (words.ALIAS,))),
        trusts=rng.choice(((), (words.PARTNER,))),
        egress=rng.choice(tuple(Egress)) if externals else None,
        namespaces=random_namespaces(rng),
        services=services,
        gateways=gateways,
        externals=externals,
        issuers=issuers,
        authorizers=authorizers,
        rules=tuple(
            random_rule(rng, f"r{number:03}", nodes, authorizers, is_lifted=size.is_lifted) for number in range(count)
        ),
        routes=random_routes(rng, nodes, size.route_share, is_lifted=size.is_lifted),
        mtls=some(rng, random_mtls(rng, services)),
        paths=rng.choice(tuple(PathMode)) if size.is_lifted else PathMode.LANGUAGE,
    )


def randoms(*, can_shrink: bool = False) -> st.SearchStrategy[Random]:
    """Sources of randomness: one seed each, which is quick, or choices that Hypothesis can shrink, twenty times slower.

    Tests draw seeds; whoever looks for the smallest example of a failure turns `can_shrink` on.
    """
    return st.randoms(use_true_random=False) if can_shrink else st.integers(0, 2**64 - 1).map(seeded)


def meshes(size: Size = SMALL, *, can_shrink: bool = False) -> st.SearchStrategy[Mesh]:
    """Random meshes of a size."""
    return st.builds(random_mesh, randoms(can_shrink=can_shrink), st.just(size))
