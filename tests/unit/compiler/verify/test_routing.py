from __future__ import annotations

import pytest

from meshproof.compiler.ir.matchers import Exact, Present, Segments
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import (
    Always,
    Header,
    Never,
    Not,
    Opaque,
    Path,
    Predicate,
    SourceIp,
    Test,
    TokenIssuer,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.verify.routing import forwarded_condition
from meshproof.dsl.source import Span

PATH = Test(Path(), Segments("/a"))
HEADER = Test(Header("x"), Exact("1"))
ADDRESS = Test(SourceIp(), Exact("203.0.113.7"))
TOKEN = Test(TokenIssuer(), Present())
OPAQUE = Opaque("field", Origin(Span("f", 0, 1)))


@pytest.mark.parametrize(
    ("at_gateway", "behind_it"),
    [
        (Always(), Always()),
        (Never(), Never()),
        (negation(Always()), Never()),
        (PATH, PATH),
        (Not(PATH), Not(PATH)),
        (ADDRESS, Always()),
        (Not(ADDRESS), Always()),
        (TOKEN, Always()),
        (Not(TOKEN), Always()),
        (OPAQUE, Always()),
        (Not(OPAQUE), Always()),
        (conjunction((PATH, ADDRESS, HEADER)), conjunction((PATH, HEADER))),
        (disjunction((PATH, ADDRESS)), Always()),
        (Not(disjunction((PATH, ADDRESS))), Not(PATH)),
        (Not(conjunction((PATH, ADDRESS))), Always()),
        (Not(conjunction((PATH, HEADER))), disjunction((Not(PATH), Not(HEADER)))),
        (Not(Not(PATH)), PATH),
    ],
)
def test_what_a_gateway_knows_of_its_caller_says_nothing_of_what_goes_on(
    at_gateway: Predicate, behind_it: Predicate
) -> None:
    assert forwarded_condition(at_gateway) == behind_it
