from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.strategies.building import token

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.entities import TokenPlace
from meshproof.compiler.ir.matchers import Cidr, Exact, Present, Segments
from meshproof.compiler.ir.mesh import Mesh, PathMode
from meshproof.compiler.ir.names import NOWHERE, AuthorizerName, NodeName, RuleId
from meshproof.compiler.ir.predicate import (
    Always,
    ClientIp,
    Header,
    Host,
    Not,
    Opaque,
    Path,
    Predicate,
    RemoteIp,
    Sni,
    Test,
)
from meshproof.runtime.engine.engine import Engine
from meshproof.runtime.engine.errors import (
    AnswerNeededError,
    MalformedRequestError,
    MissingFieldError,
    UnknownDestinationError,
    UnsupportedPolicyError,
)
from meshproof.runtime.engine.facts import Incoming, Wire

DAY = date(2026, 11, 23)
END = date(2027, 1, 31)
TEXT = """
mesh m { language 1  trust-domain "ours.example"  aliases "old.example"  namespace shop  mtls strict  egress open }
issuer idp { url "https://idp"  jwks "https://idp/jwks.json"  audiences "shop" }
authorizer opa { address "opa:9191"  protocol http  timeout 100ms }
gateway edge { hosts "shop.example.com"  port https 443 -> 8443  certificate "cert" }
external bank { hosts "bank.example"  port https 443 }
service front { port http 80 -> 8080 }
service shop { port http 80 -> 8080  port db tcp 5432  versions v1, v2  accepts idp }
service trial { port http 80 -> 8080  observe { because "new" owner "o" until 2027-01-31 } }
allow read: front -> shop:http { GET /items/{id}  GET|HEAD /pages/** }
allow read-too: namespace shop -> shop:http { GET /items/1 }
allow by-host: front -> shop:http { GET /host when host == "shop.example" }
allow from-net: front -> shop:http { GET /net when source.ip in "10.0.0.0/8" or source.ip in "2001:db8::/32" }
allow seen: edge -> shop:http { GET /seen when client.ip in "192.0.2.0/24" }
allow words: front -> shop:http { GET /words when claim["scope"] == "write" }
allow db: front -> shop:db
allow moving: front -> shop:http { GET /moving because "moving" owner "o" until 2027-01-31 }
deny no-debug: anyone -> shop { * /items/debug }
ask ask-opa: front -> shop:http { POST /ask via opa }
allow asked: front -> shop:http { POST /ask }
route shop:http { GET /items/** => v2 { rewrite path /new  timeout 1s }  otherwise => v1 95%, v2 5% }
"""
POLICY = policy_of_texts({"m.mesh": TEXT})
MESH = POLICY.meshes[0] if POLICY.meshes else None
FRONT = "spiffe://ours.example/ns/shop/sa/front"
EDGE = "spiffe://ours.example/ns/shop/sa/edge"
WIRE = Wire("10.0.0.1")
SHOP = (NodeName("shop"), 8080)


def _mesh() -> Mesh:
    assert MESH is not None, POLICY.diagnostics
    return MESH


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(_mesh())


def _get(
    engine: Engine, incoming: Incoming, identity: str | None = FRONT, *, wire: Wire = WIRE, day: date = DAY
) -> Decision:
    return engine.connect(wire, identity, SHOP, day).decide(incoming)


def _allowed(*rules: str) -> Decision:
    return Decision(is_allowed=True, reason=Reason.RULE, determined_by=tuple(map(RuleId, rules)))


def _refused(reason: Reason, *rules: str) -> Decision:
    return Decision(is_allowed=False, reason=reason, determined_by=tuple(map(RuleId, rules)))


def test_all_rules_that_decide_are_named(engine: Engine) -> None:
    assert _get(engine, Incoming("GET", "/items/1")) == _allowed("read", "read-too")
    assert _get(engine, Incoming("GET", "/items/2")) == _allowed("read")
    assert _get(engine, Incoming("HEAD", "/pages")) == _get(engine, Incoming("GET", "/pages/a/b")) == _allowed("read")
    assert _get(engine, Incoming("GET", "/items/debug")) == _refused(Reason.RULE, "no-debug")
    for method, path in (("POST", "/items/1"), ("GET", "/items/"), ("GET", "/items/1/"), ("GET", "/pagesx")):
        assert _get(engine, Incoming(method, path)) == _refused(Reason.DEFAULT), (method, path)


def test_paths_are_judged_in_normal_form(engine: Engine) -> None:
    assert _get(engine, Incoming("GET", "/x/../items//%31?q=1")) == _allowed("read", "read-too")
    assert _get(engine, Incoming("GET", "/items/%64ebug")) == _refused(Reason.RULE, "no-debug")
    for path in ("/items%2F1", "/items\\1", "/a#b", "*", "", "/%00", "/%", "/a b"):
        assert _get(engine, Incoming("GET", path)) == _refused(Reason.PATH), path
    assert _get(engine, Incoming("CONNECT", "/items/1")) == _refused(Reason.PATH)


def test_transport_comes_first(engine: Engine) -> None:
    for identity in (None, "spiffe://stranger.example/ns/shop/sa/front"):
        assert _get(engine, Incoming("GET", "/a#b"), identity) == _refused(Reason.TRANSPORT)
    assert _get(engine, Incoming("GET", "/items/2"), FRONT.replace("ours", "old")) == _allowed("read")
    with pytest.raises(MalformedRequestError, match="is no SPIFFE ID"):
        _get(engine, Incoming("GET", "/items/2"), "front")


def test_tokens(engine: Engine) -> None:
    good = token(iss="https://idp", scope="read write")
    assert _get(engine, Incoming("GET", "/words", token=good)) == _allowed("words")
    assert _get(engine, Incoming("GET", "/words")) == _refused(Reason.DEFAULT)
    for bad in (replace(good, is_valid=False), token(iss="https://other"), token(iss="https://idp", aud="mail")):
        assert _get(engine, Incoming("GET", "/items/2", token=bad)) == _refused(Reason.TOKEN)
    for nobody in ((), (1,), 5, None):
        named = token(iss="https://idp", aud=nobody)
        assert _get(engine, Incoming("GET", "/items/2", token=named)) == _allowed("read")
    preflight = (("origin", "https://x"), ("access-control-request-method", "GET"))
    bad = replace(good, is_valid=False)
    assert _get(engine, Incoming("OPTIONS", "/x", headers=preflight, token=bad)) == _refused(Reason.DEFAULT)


@pytest.mark.parametrize("ip", ["10.1.2.3", "2001:db8::7", "::ffff:10.9.9.9"])
def test_addresses_inside(engine: Engine, ip: str) -> None:
    assert _get(engine, Incoming("GET", "/net"), wire=Wire(ip)) == _allowed("from-net")


@pytest.mark.parametrize("ip", ["11.0.0.1", "::a00:1", "2001:db9::1"])
def test_addresses_outside(engine: Engine, ip: str) -> None:
    assert _get(engine, Incoming("GET", "/net"), wire=Wire(ip)) == _refused(Reason.DEFAULT)


def test_the_client_counts_behind_a_gateway_alone(engine: Engine) -> None:
    seen = Incoming("GET", "/seen", client_ip="192.0.2.7")
    assert _get(engine, seen, EDGE) == _allowed("seen")
    assert _get(engine, seen) == _refused(Reason.DEFAULT)
    with pytest.raises(MissingFieldError, match=r"client\.ip"):
        _get(engine, Incoming("GET", "/seen"), EDGE)


def test_what_a_rule_reads_and_is_not_there_is_no_decision(engine: Engine) -> None:
    assert _get(engine, Incoming("GET", "/host", host="Shop.Example.:80")) == _allowed("by-host")
    with pytest.raises(MissingFieldError, match="`host`"):
        _get(engine, Incoming("GET", "/host"))
    with pytest.raises(MissingFieldError, match=r"`source\.ip`"):
        _get(engine, Incoming("GET", "/net"), wire=Wire())


def test_asks(engine: Engine) -> None:
    with pytest.raises(AnswerNeededError) as caught:
        _get(engine, Incoming("POST", "/ask"))
    (opa,) = caught.value.authorizers
    assert opa == AuthorizerName("opa")
    assert _get(engine, Incoming("POST", "/ask", answers={opa: True})) == _allowed("asked")
    assert _get(engine, Incoming("POST", "/ask", answers={opa: False})) == _refused(Reason.ASK, "ask-opa")


def test_days(engine: Engine) -> None:
    moving = Incoming("GET", "/moving")
    assert _get(engine, moving, day=END) == _allowed("moving")
    assert _get(engine, moving, day=END + timedelta(days=1)) == _refused(Reason.DEFAULT)
    assert _get(engine, moving, day=DAY) == _allowed("moving"), "a clock that goes back"
    assert engine.connect(Wire(), FRONT, SHOP, DAY).last_day == engine.holds_until(DAY) == END
    assert engine.connect(Wire(), FRONT, SHOP, END + timedelta(days=1)).last_day is None


def test_what_is_observed_is_let_through_and_told(engine: Engine) -> None:
    trial = (NodeName("trial"), 8080)
    expected = Decision(is_allowed=True, reason=Reason.DEFAULT, is_observed=True)
    assert engine.connect(Wire(), FRONT, trial, DAY).decide(Incoming("GET", "/")) == expected
    later = engine.connect(Wire(), FRONT, trial, END + timedelta(days=1))
    assert later.decide(Incoming("GET", "/")) == _refused(Reason.DEFAULT)


def test_what_is_observed_in_a_namespace_are_its_gateways_too() -> None:
    observed = 'namespace shop { observe { because "new" owner "o" until 2027-01-31 } }'
    engine = Engine(policy_of_texts({"m.mesh": TEXT + observed}).meshes[0])
    for place, wire in (((NodeName("edge"), 8443), Wire()), (SHOP, WIRE)):
        decision = engine.connect(wire, FRONT, place, DAY).decide(Incoming("PUT", "/nothing"))
        assert decision == Decision(is_allowed=True, reason=Reason.DEFAULT, is_observed=True), place


def test_connections(engine: Engine) -> None:
    db = (NodeName("shop"), 5432)
    assert engine.connect(Wire(), FRONT, db, DAY).decide_connection({}) == _allowed("db")
    assert engine.connect(Wire(), EDGE, db, DAY).decide_connection({}) == _refused(Reason.DEFAULT)
    bank = engine.connect(Wire(), FRONT, (NodeName("bank"), 443), DAY)
    assert bank.decide_connection({}) == Decision(is_allowed=True, reason=Reason.DEFAULT)


def test_routes(engine: Engine) -> None:
    connection = engine.connect(Wire(), FRONT, SHOP, DAY)
    sent = connection.route(Incoming("GET", "/items/7?q=1"))
    assert sent is not None
    assert (sent.destinations, sent.path, sent.timeout_ms) == ((("v2", 100),), "/new/7?q=1", 1000)
    rest = connection.route(Incoming("PUT", "/"))
    assert rest is not None
    assert (rest.destinations, rest.path) == ((("v1", 95), ("v2", 5)), None)
    assert connection.route(Incoming("GET", "/a#b")) is None
    tcp = engine.connect(Wire(), FRONT, (NodeName("shop"), 5432), DAY).route_connection()
    assert tcp is not None
    assert tcp.destinations == (("shop:5432", 100),)


def test_what_nobody_declared_is_refused(engine: Engine) -> None:
    with pytest.raises(UnknownDestinationError, match="`nobody`"):
        engine.connect(Wire(), FRONT, (NodeName("nobody"), 8080), DAY)
    assert engine.connect(Wire(), FRONT, (NodeName("shop"), 1), DAY).decide(Incoming("GET", "/items/2")) == _refused(
        Reason.DEFAULT
    )
    for port in (0, 65536):
        with pytest.raises(MalformedRequestError, match="is no port"):
            engine.connect(Wire(), FRONT, (NodeName("shop"), port), DAY)
    for sni in ("", "a\nb"):
        with pytest.raises(MalformedRequestError, match="`sni`"):
            engine.connect(Wire(sni=sni), FRONT, SHOP, DAY)


def _deep(levels: int) -> Predicate:
    found: Predicate = Test(Host(), Present())
    for _ in range(levels):
        found = Not(found)
    return found


def _with_rule(**changes: object) -> Mesh:
    mesh = _mesh()
    first: AuthzRule = replace(mesh.rules[0], **changes)  # type: ignore[arg-type]
    return replace(mesh, rules=(first, *mesh.rules[1:]))


def _with_when(name: str, when: Predicate) -> Engine:
    mesh = _mesh()
    return Engine(replace(mesh, rules=tuple(replace(one, when=when) if one.id == name else one for one in mesh.rules)))


def test_a_rule_that_reads_http_matches_no_connection() -> None:
    db = (NodeName("shop"), 5432)
    for when in (Not(Test(Header("x"), Present())), Test(Header("x"), Present())):
        connection = _with_when("db", when).connect(Wire(), FRONT, db, DAY)
        assert connection.decide_connection({}) == _refused(Reason.DEFAULT)
    named = _with_when("db", Test(Sni(), Exact("db"))).connect(Wire(sni="DB"), FRONT, db, DAY)
    assert named.decide_connection({}) == _allowed("db")


def test_what_a_caller_that_is_no_gateway_says_of_its_client_is_absent() -> None:
    engine = _with_when("moving", Test(ClientIp(), Cidr("192.0.2.0/24")))
    moving = Incoming("GET", "/moving", client_ip="192.0.2.7")
    assert _get(engine, moving) == _get(engine, replace(moving, client_ip=None)) == _refused(Reason.DEFAULT)


@pytest.mark.parametrize(
    "when",
    [
        Opaque("x", NOWHERE),
        Test(RemoteIp(), Present()),
        Test(Path(), Segments("/a/**/b")),
        Test(Path(), Segments("a")),
        Not(Test(Header("upgrade"), Exact("websocket"))),
        Test(Header("content-length"), Present()),
        _deep(101),
    ],
)
def test_a_policy_that_cannot_be_kept_in_every_part_is_not_loaded(when: Predicate) -> None:
    assert Engine(_with_rule(when=Always())) is not None
    with pytest.raises(UnsupportedPolicyError):
        Engine(_with_rule(when=when))


def test_names_that_lead_nowhere_are_not_loaded() -> None:
    mesh = _mesh()
    broken = (
        replace(mesh, services=mesh.services[:1]),
        replace(mesh, services=(*mesh.services, mesh.services[0])),
        replace(mesh, rules=(*mesh.rules, mesh.rules[0])),
        replace(mesh, issuers=()),
        replace(mesh, issuers=(replace(mesh.issuers[0], place=TokenPlace("header", "proxy-authorization")),)),
        replace(mesh, paths=PathMode.BASE),
        _with_rule(sources=replace(mesh.rules[0].sources, matches=Test(Host(), Exact("x")))),
    )
    for one in broken:
        with pytest.raises(UnsupportedPolicyError):
            Engine(one)
