from __future__ import annotations

from datetime import date

import pytest
from tests.checks.judging import policy_of

from meshproof.compiler.checks.context import CheckContext
from meshproof.compiler.checks.mtls._modes import (
    names_plaintext,
    needs_identity,
    places,
    scope_name,
    tells_callers_apart,
    without_identity,
)
from meshproof.compiler.ir.matchers import Exact, Present
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.predicate import Always, Never, Not, Path, SourceIdentity, Test, conjunction, disjunction
from meshproof.compiler.verify.analysis import Analysis

SOURCE = Test(SourceIdentity(), Exact("spiffe://cluster.local/ns/shop/sa/web"))
PATH = Test(Path(), Exact("/a"))
REASONS = '{ because "moving in"  until 2027-06-30 }'
DAY = date(2026, 11, 23)


def _mesh(text: str) -> Mesh:
    return policy_of(text).meshes[0]


def _context(mesh: Mesh, day: date = DAY) -> CheckContext:
    return CheckContext(mesh, day, (), {}, lambda: Analysis(mesh, day))


@pytest.mark.parametrize(
    ("condition", "rest"),
    [
        (SOURCE, Never()),
        (Not(SOURCE), Always()),
        (Test(SourceIdentity(), Present()), Never()),
        (PATH, PATH),
        (conjunction((PATH, SOURCE)), Never()),
        (conjunction((PATH, Not(SOURCE))), PATH),
        (disjunction((PATH, SOURCE)), PATH),
        (Not(disjunction((SOURCE, Not(PATH)))), PATH),
    ],
)
def test_nobody_has_an_identity(condition: Test, rest: Test) -> None:
    assert without_identity(condition) == rest


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ("allow r: web -> db", (True, True, False)),
        ("allow r: authenticated -> db", (True, True, False)),
        ('allow r: anyone -> db { because "x" }', (False, False, False)),
        ('allow r: plaintext -> db { because "x" }', (False, False, True)),
        ('allow r: { plaintext, web } -> db { because "x" }', (False, False, True)),
        ('allow r: anyone except web -> db { because "x" }', (False, True, False)),
        ('allow r: anyone -> db { when source in web  because "x" }', (True, True, False)),
        ('allow r: anyone -> db { unless source in web  because "x" }', (False, True, False)),
    ],
)
def test_what_a_rule_asks_of_its_callers(rule: str, facts: tuple[bool, bool, bool]) -> None:
    [found] = _mesh(f"service web {{ }}\nservice db {{ port tcp 5432 }}\n{rule}").rules

    assert (needs_identity(found), tells_callers_apart(found), names_plaintext(found.sources.matches)) == facts


def test_the_closest_statement_in_force_gives_the_mode() -> None:
    mesh = _mesh(
        "service db { port tcp 5432  port web http 80 }\nservice web { port http 80 }\n"
        f"mtls disabled for db {REASONS}\nmtls permissive for db:web {REASONS}"
    )

    assert [place.name for place in places(_context(mesh), MtlsMode.DISABLED)] == ["db:tcp"]
    assert [place.name for place in places(_context(mesh), MtlsMode.PERMISSIVE)] == ["db:web"]
    assert [place.name for place in places(_context(mesh), MtlsMode.STRICT)] == ["web:http"]
    assert list(places(_context(mesh, date(2027, 7, 1)), MtlsMode.DISABLED)) == []


def test_a_statement_is_called_as_a_waiver_writes_it() -> None:
    mesh = _mesh(
        f"namespace shop {{ mtls permissive {REASONS} }}\nservice db {{ port sql tcp 5432 }}\n"
        f"mtls disabled for db {REASONS}\nmtls strict for db:sql"
    )

    assert [scope_name(mesh, one.scope) for one in mesh.mtls] == ["all", "namespace shop", "db", "db:sql"]
