from __future__ import annotations

import json
from datetime import date

import pytest

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.runtime.bundle import load_bundle
from meshproof.runtime.core.http1 import Fault, Head
from meshproof.runtime.extauthz.answer import Answer
from meshproof.runtime.extauthz.authorizer import Authorizer
from meshproof.runtime.extauthz.destinations import Destination, DestinationError
from meshproof.runtime.extauthz.judged import Judged
from meshproof.runtime.extauthz.responses import answer_bytes, fault_bytes, health_bytes

TEXT = """
mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
service catalog { port http 80 -> 8080  port tcp 90 -> 9090 }
issuer login { url "https://login.example"  jwks "https://login.example/keys" }
service private { port http 80 -> 8080  accepts login }
service open { port http 80 -> 8080 }
service watched { port http 80 -> 8080  observe { because "new" owner "ops" until 2027-01-01 } }
mtls permissive for open { because "old callers" until 2027-01-01 }
allow browse: front -> catalog:http { GET|HEAD /items/** }
allow write: front -> catalog:http { POST /items when header["x-role"] == "editor" }
allow hosted: front -> catalog:http { GET /host when host == "shop.example" }
deny no-debug: anyone -> catalog:http { * /items/debug/** }
allow hello: anyone -> open:http { GET /hello }
"""
DAY = date(2026, 11, 23)
FRONT = "spiffe://cluster.local/ns/shop/sa/front"
CATALOG = Destination("/catalog", "catalog", 8080, ("x-role",))
OPEN = Destination("/open", "open", 8080, (), takes_plaintext=True)
WATCHED = Destination("/watched", "watched", 8080)


def _authorizer(text: str, *destinations: Destination) -> Authorizer:
    mesh = policy_of_texts({"m.mesh": text}).meshes[0]
    return Authorizer(load_bundle(dump(Bundle("digest", "known", enforced(mesh)))), destinations)


AUTHORIZER = _authorizer(TEXT, CATALOG, OPEN, WATCHED)


def _head(method: str, target: str, *headers: tuple[str, str], caller: str | None = FRONT, host: str = "shop") -> Head:
    told = () if caller is None else (("x-forwarded-client-cert", f"Hash=0a;URI={caller}"),)
    return Head(method, target, (("host", host), *told, *headers))


def _answer(method: str, target: str, *headers: tuple[str, str], caller: str | None = FRONT) -> Answer:
    return AUTHORIZER.answer(_head(method, target, *headers, caller=caller), DAY)


@pytest.mark.parametrize(
    ("method", "target", "status", "reason", "rules"),
    [
        ("GET", "/catalog/items/7?a=1", 200, "rule", ("browse",)),
        ("GET", "/catalog/items/x/../debug/a", 403, "rule", ("no-debug",)),
        ("GET", "/catalog/items%2F7", 403, "path", ()),
        ("GET", "/catalog/nothing", 403, "default", ()),
        ("DELETE", "/catalog/items/7", 403, "default", ()),
        ("POST", "/catalog/items", 403, "default", ()),
        ("GET", "/catalog", 403, "destination", ()),
        ("GET", "/catalogs/items/7", 403, "destination", ()),
        ("GET", "/items/7", 403, "destination", ()),
        ("OPTIONS", "/catalog*", 403, "destination", ()),
        ("GET", "http://shop/catalog/items/7", 403, "destination", ()),
        ("GET", "/open/hello", 200, "rule", ("hello",)),
        ("GET", "/watched/x", 200, "default", ()),
    ],
)
def test_it_says_what_the_policy_says(
    method: str, target: str, status: int, reason: str, rules: tuple[str, ...]
) -> None:
    found = _answer(method, target)
    assert (found.status, found.reason, tuple(rule.rpartition("/")[2] for rule in found.rules)) == (
        status,
        reason,
        rules,
    )


def test_what_is_observed_goes_through_and_says_so() -> None:
    assert _answer("GET", "/watched/x").decision == "observe"


def test_a_caller_that_nobody_names_is_taken_only_where_plaintext_is() -> None:
    assert _answer("GET", "/catalog/items/7", caller=None).reason == "caller"
    assert _answer("GET", "/open/hello", caller=None).status == 200
    assert _answer("GET", "/open/other", caller=None).status == 403


def test_a_caller_that_is_named_badly_is_refused_even_where_plaintext_is_taken() -> None:
    odd = ("x-forwarded-client-cert", "URI=a;URI=b")
    assert _answer("GET", "/open/hello", odd, caller=None).reason == "caller"
    assert _answer("GET", "/open/hello", odd).reason == "caller"
    assert _answer("GET", "/open/hello", caller="https://front").reason == "undecided"


def test_a_stranger_of_another_domain_is_refused_at_transport() -> None:
    assert _answer("GET", "/catalog/items/7", caller="spiffe://other.local/ns/shop/sa/front").reason == "transport"


def test_headers_that_rules_read_must_be_one_line() -> None:
    assert _answer("POST", "/catalog/items", ("x-role", "editor")).status == 200
    assert _answer("POST", "/catalog/items", ("x-role", "editor,editor")).reason == "ambiguous"
    assert _answer("POST", "/catalog/items", ("x-role", "editor"), ("x-role", "editor")).reason == "ambiguous"
    assert _answer("POST", "/catalog/items", ("x-role", "\u00e9ditor")).reason == "ambiguous"
    assert _answer("POST", "/catalog/items", ("x-role", "editor"), ("x-other", "a,b")).status == 200


@pytest.mark.parametrize(("host", "status"), [("shop.example", 200), ("SHOP.example:80", 200), ("other", 403)])
def test_the_host_is_judged(host: str, status: int) -> None:
    assert AUTHORIZER.answer(_head("GET", "/catalog/host", host=host), DAY).status == status


@pytest.mark.parametrize("host", ["", "a b", "a@shop.example", "a/b", "a\\b", "a#b"])
def test_an_odd_host_is_ambiguous(host: str) -> None:
    assert AUTHORIZER.answer(_head("GET", "/catalog/items/7", host=host), DAY).reason == "ambiguous"


@pytest.mark.parametrize(
    ("destination", "message"),
    [
        (Destination("/a", "nobody", 8080), "declares no service or gateway `nobody`"),
        (Destination("/a", "private", 8080), "accepts tokens, and `tokens` has not the keys of all of its issuers"),
        (Destination("/a", "catalog", 80), "no port `80`"),
        (Destination("/a", "catalog", 9090), "no port `9090`"),
        (
            Destination("/a", "catalog", 8080, ("x-other",)),
            "the header `x-role`, which is not among its `headers`",
        ),
    ],
)
def test_a_destination_where_the_policy_cannot_be_kept_is_refused(destination: Destination, message: str) -> None:
    with pytest.raises(DestinationError, match=message):
        _authorizer(TEXT, destination)


@pytest.mark.parametrize("condition", ['sni != "a.example"', 'not source.ip in "10.0.0.0/8"'])
def test_what_an_envoy_does_not_tell_must_not_be_read(condition: str) -> None:
    text = f"{TEXT}\ndeny odd: anyone -> open:http {{ GET /** when {condition} }}"
    with pytest.raises(DestinationError, match="which an Envoy does not tell an authorizer"):
        _authorizer(text, OPEN)
    assert _authorizer(text, CATALOG).policy == "digest"


AUDITED = f"""{TEXT}
audit deny no-old: front -> catalog:http {{ * /items/old/** because "who?" owner "ops" until 2027-01-01 }}
audit allow more: front -> catalog:http {{ GET /old/** because "who?" owner "ops" until 2027-01-01 }}
"""


@pytest.mark.parametrize(
    ("method", "target", "status", "audited"),
    [
        ("GET", "/catalog/items/old/7", 200, ("no-old",)),
        ("GET", "/catalog/items/7", 200, ()),
        ("PUT", "/catalog/items/old/7", 403, ("no-old",)),
        ("GET", "/catalog/old/7", 403, ("more",)),
        ("GET", "/catalog/items%2fold", 403, ()),
    ],
)
def test_audited_rules_are_told_and_decide_nothing(
    method: str, target: str, status: int, audited: tuple[str, ...]
) -> None:
    judged: list[Judged] = []
    mesh = policy_of_texts({"m.mesh": AUDITED}).meshes[0]
    loaded = load_bundle(dump(Bundle("digest", "known", enforced(mesh))))
    found = Authorizer(loaded, (CATALOG,), tell=judged.append).answer(_head(method, target), DAY)
    assert (found.status, found.audited) == (status, audited)
    plain = _answer(method, target)
    assert (found.decision, found.reason, found.rules) == (plain.decision, plain.reason, plain.rules)
    assert [(one.status, one.audited, one.asked.path, one.policy) for one in judged] == [
        (status, audited, target.removeprefix("/catalog"), "digest")
    ]


def test_ids_are_those_of_headers_that_are_well_formed() -> None:
    judged: list[Judged] = []
    mesh = policy_of_texts({"m.mesh": TEXT}).meshes[0]
    authorizer = Authorizer(load_bundle(dump(Bundle("", "", enforced(mesh)))), (CATALOG,), tell=judged.append)
    trace = "0af7651916cd43dd8448eb211c80319c"
    for headers in (
        (("x-request-id", "c0ffee"), ("traceparent", f"00-{trace}-b7ad6b7169203331-01")),
        (("x-request-id", "a b\u00e9"), ("traceparent", "x")),
        (),
    ):
        authorizer.answer(_head("GET", "/catalog/items/7", *headers), DAY)
    records = [one.record(1.0) for one in judged]
    assert [(one.request_id, one.trace_id) for one in records] == [("c0ffee", trace), ("", ""), ("", "")]
    assert {(one.connection.identity, one.connection.peer) for one in records} == {(FRONT, "")}


def test_answers_are_stable_bytes() -> None:
    audited = answer_bytes(Answer(200, "allow", "rule", ("a",), ("b", "c d")), "", is_last=False)
    assert b"x-meshproof-rules: a\r\nx-meshproof-audited: b, c%20d\r\n" in audited
    said = answer_bytes(Answer(403, "deny", "rule", ("shop/no debug",)), "sha256:ab", is_last=True)
    assert said == (
        b"HTTP/1.1 403 Forbidden\r\nx-meshproof-decision: deny\r\nx-meshproof-reason: rule\r\n"
        b"x-meshproof-rules: shop/no%20debug\r\nx-meshproof-policy: sha256:ab\r\ncontent-type: application/json\r\n"
        b"content-length: 36\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
        b'{"decision":"deny","reason":"rule"}\n'
    )
    assert b"connection" not in answer_bytes(Answer(200, "allow", "rule"), "", is_last=False)
    assert json.loads(fault_bytes(Fault(431, "secret")).partition(b"\r\n\r\n")[2])["reason"] == "malformed"
    assert b"secret" not in fault_bytes(Fault(431, "secret"))
    assert health_bytes(503, "draining").startswith(b"HTTP/1.1 503 ")
