"""Who may do what at each port, by kind of caller."""

from __future__ import annotations

from datetime import date

from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.predicate import Always
from meshproof.targets.appmesh.lower.rows import Permission, Row, rows

DAY = date(2026, 11, 26)
SERVICES = """
service web { calls api }
service batch {}
service api { port http 8080 }
"""


def _row(text: str) -> Row:
    (row,) = rows(mesh_of(SERVICES + text), DAY)
    return row


def _of(row: Row, name: str) -> Permission:
    return next(one for identity, one in row.known if identity.path == f"/ns/app/sa/{name}")


def test_who_is_in_no_rule_has_nothing() -> None:
    row = _row("allow web -> api")
    assert row.mode is MtlsMode.STRICT
    assert _of(row, "web").is_everything
    assert _of(row, "batch").is_nothing
    assert row.strangers.is_nothing
    assert row.plaintext.is_nothing


def test_what_a_rule_asks_of_requests_is_some() -> None:
    row = _row("allow web -> api { GET /v1/** }")
    assert _of(row, "web").is_some
    assert [rule.id for rule in _of(row, "web").allowed] != []
    assert not _of(row, "web").unjudgeable


def test_a_deny_of_all_leaves_nothing_and_one_of_some_leaves_some() -> None:
    assert _of(_row("allow web -> api\ndeny stop: web -> api"), "web").is_nothing
    left = _of(_row("allow web -> api\ndeny stop: web -> api { DELETE /** }"), "web")
    assert left.is_some
    assert len(left.denied) == 1


def test_strangers_have_what_all_of_them_have() -> None:
    assert _row("allow any: authenticated -> api").strangers.is_everything


def test_a_rule_for_some_strangers_is_told_to_leave_them_out() -> None:
    row = _row("allow some: namespace app -> api")
    assert row.strangers.is_nothing
    assert [rule.id for rule in row.strangers.narrowed] == ["some"]
    assert _of(row, "batch").is_everything


def test_a_deny_of_some_strangers_refuses_all_of_them() -> None:
    assert _row("allow a: authenticated -> api\ndeny b: namespace app -> api { DELETE /** }").strangers.denied


def test_what_a_deny_of_some_strangers_takes_from_all_of_them_is_told() -> None:
    row = _row("allow a: authenticated -> api { DELETE /x }\ndeny b: namespace app -> api")
    assert row.strangers.is_nothing
    assert [rule.id for rule in row.strangers.narrowed] == ["a"]
    whole = _row("allow a: authenticated -> api { DELETE /x }\ndeny b: namespace app -> api\ndeny c: anyone -> api")
    assert whole.strangers.narrowed == ()


def test_an_identity_that_a_rule_names_is_known() -> None:
    row = _row('allow it: identity "spiffe://td/vm/x" -> api')
    assert [one.is_everything for identity, one in row.known if identity.path == "/vm/x"] == [True]
    assert row.strangers.is_nothing


def test_who_calls_is_settled_in_conditions_too() -> None:
    row = _row("allow a: authenticated -> api\ndeny b: anyone -> api { unless source in { web } }")
    assert _of(row, "web").is_everything
    assert _of(row, "batch").is_nothing
    assert row.strangers.is_nothing


def test_plaintext_has_what_a_rule_for_anyone_says_where_the_mode_lets_it_in() -> None:
    text = 'allow any: anyone -> api\nmtls permissive for api { because "moving in" until 2027-01-31 }'
    row = _row(text)
    assert row.mode is MtlsMode.PERMISSIVE
    assert row.plaintext.is_everything
    assert _row("allow any: anyone -> api").plaintext.is_nothing


def test_a_port_that_a_rule_asks_for_is_settled() -> None:
    row = _row("allow web -> api:http")
    (rule,) = _of(row, "web").allowed
    assert isinstance(rule.content, Always)


def test_what_no_proxy_can_judge_is_told() -> None:
    row = _row('allow web -> api { when source.ip in "10.0.0.0/8" }')
    left = _of(row, "web")
    assert [rule.id for rule in left.unjudgeable] == [rule.id for rule in left.allowed]
    assert left.is_some
