from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from meshproof.compiler.backend.artifact import Artifact, MapEntry
from meshproof.compiler.backend.features import Feature, Support
from meshproof.compiler.backend.target import CompileOptions, LiftingTarget
from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.driver.reading_back import EQUAL, emitted, judgement
from meshproof.compiler.ir.bundle import dump, json_schema, load
from meshproof.compiler.ir.entities import Exemption
from meshproof.compiler.ir.mesh import Egress, Mesh, PathMode
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NOWHERE
from meshproof.compiler.ir.predicate import Always
from meshproof.compiler.ir.serde import digest
from meshproof.compiler.verify.translation import TranslationVerdict
from meshproof.runtime.engine.engine import Engine
from meshproof.runtime.engine.errors import UnsupportedPolicyError
from meshproof.targets import native
from meshproof.targets.native import TARGET

DAY = date(2026, 11, 23)
OPTIONS = CompileOptions(DAY)
FILE = Path(native.__file__).parent / "bundle.schema.json"
TEXT = """
mesh m { language 1  trust-domain "ours.example"  namespace shop  mtls strict  egress closed }
namespace shop { closed }
issuer idp { url "https://idp"  jwks "https://idp/jwks.json"  audiences "shop" }
gateway edge { hosts "shop.example.com"  port https 443 -> 8443  certificate "cert" }
external bank { hosts "bank.example"  port https 443 }
service front { port http 80 -> 8080  accepts idp }
service shop { port http 80 -> 8080  port db tcp 5432  versions v1, v2 }
allow public: internet -> edge
allow enter: edge -> front:http { GET /** }
allow read: front -> shop:http { GET /items/{id} when header["x-a"] == "1" or query["q"] in ["1", "2"] }
allow pay: front -> bank
allow db: front -> shop:db { because "moving" owner "o" until 2027-01-31 }
deny no-debug: anyone -> shop { * /items/debug }
mtls permissive for front:http { because "moving" owner "o" until 2027-01-31 }
route edge { host "shop.example.com" => front:http }
route shop:http { when header["x-canary"] == "true" => v2  otherwise => v1 95%, v2 5%  timeout 2s }
"""
MESH = policy_of_texts({"m.mesh": TEXT}).meshes[0]


def _bundle(mesh: Mesh = MESH) -> Artifact:
    return TARGET.emit(TARGET.lower(mesh, OPTIONS))[0]


def _judged(file: Artifact) -> TranslationVerdict:
    lifted = TARGET.lift((file,), OPTIONS, MESH)
    assert lifted.mesh is not None
    return judgement(MESH, lifted, (), DAY).verdict


def test_it_is_a_target_that_reads_its_own_files() -> None:
    assert isinstance(TARGET, LiftingTarget)
    assert {one.feature for one in TARGET.capabilities} == set(Feature)
    lacking = {one.feature for one in TARGET.capabilities if one.support is not Support.NATIVE}
    assert lacking == {Feature.FOREIGN_FILES}


def test_what_is_emitted_is_read_back_and_proved() -> None:
    found = emitted(TARGET, TARGET.lower(MESH, OPTIONS), MESH, OPTIONS, 10_000)
    assert (found.known, found.diagnostics) == (EQUAL, ())
    bundle = load(found.artifacts[0].content)
    assert (bundle.policy, bundle.read_back) == (digest(MESH), EQUAL)


def test_the_same_policy_is_the_same_bytes() -> None:
    again = policy_of_texts({"m.mesh": TEXT}).meshes[0]
    assert _bundle() == _bundle(again)
    moved = load(_bundle(policy_of_texts({"m.mesh": "\n# moved\n" + TEXT}).meshes[0]).content)
    assert replace(moved, source_map=()) == replace(load(_bundle().content), source_map=())


def test_the_source_map_leads_to_rules_and_routes() -> None:
    lowered = TARGET.lower(MESH, OPTIONS)
    places = {place.name: TEXT[place.start : place.end] for place in lowered.bundle.source_map}
    assert places["pay"] == "allow pay: front -> bank"
    assert places["shop:http"].startswith("route shop:http {")
    assert MapEntry("rule", "", "pay", None, "pay") in lowered.source_map


def test_the_schema_is_current_and_takes_what_is_emitted() -> None:
    assert json.loads(FILE.read_text()) == json_schema(), "write it anew: `json.dumps(json_schema(), indent=2)`"
    schema = json_schema()
    assert isinstance(schema, dict)
    validator = Draft202012Validator(schema)
    value = json.loads(_bundle().content)
    assert validator.is_valid(value)
    assert not validator.is_valid(value | {"more": 1})


def test_what_foreign_files_say_is_refused() -> None:
    lowered = TARGET.lower(replace(MESH, paths=PathMode.BASE), OPTIONS)
    assert [(one.code, one.subject) for one in lowered.diagnostics] == [("MP701", "m")]


def test_what_a_sidecar_cannot_read_stops_the_compile_with_its_place() -> None:
    text = TEXT.replace('header["x-a"]', 'header["Upgrade"]').replace('"x-canary"', '"te"')
    mesh = policy_of_texts({"m.mesh": text.replace('audiences "shop"', 'from header "proxy-authorization"')}).meshes[0]
    found = TARGET.lower(mesh, OPTIONS).diagnostics
    assert [(one.code, one.message.partition("header ")[2].split(",")[0]) for one in found] == [
        ("MP701", "`upgrade`"),
        ("MP701", "`te`"),
        ("MP701", "`proxy-authorization`"),
    ]
    assert found[0].labels[0].span == next(one for one in mesh.rules if one.id == "read").origin.span
    with pytest.raises(UnsupportedPolicyError):
        Engine(mesh)


@pytest.mark.parametrize(("proxies", "codes"), [(0, []), (1, ["MP701"])])
def test_a_client_behind_trusted_proxies_is_not_told_to_a_sidecar(proxies: int, codes: list[str]) -> None:
    text = TEXT.replace('certificate "cert"', f'certificate "cert"  trusted-proxies {proxies}')
    text = text.replace("{ GET /** }", '{ GET /** when client.ip in "10.0.0.0/8" }')
    found = TARGET.lower(policy_of_texts({"m.mesh": text}).meshes[0], OPTIONS).diagnostics
    assert [one.code for one in found] == codes
    assert all("behind `edge`, which trusts 1 proxies before it" in one.message for one in found)


def test_there_is_one_option() -> None:
    given = replace(OPTIONS, settings=(("native.x", "1"), ("istio.trust-domain", "y")))
    assert [(one.code, one.message, one.help) for one in TARGET.lower(MESH, given).diagnostics] == [
        ("MP709", "native has no option `native.x`", "the one option is native.revision")
    ]


def _numbered(text: str) -> CompileOptions:
    return replace(OPTIONS, settings=(("native.revision", text),))


def test_a_revision_is_an_input_and_changes_nothing_else() -> None:
    first, again, other = (TARGET.emit(TARGET.lower(MESH, _numbered(text)))[0] for text in ("7", "7", "8"))
    assert first == again
    assert first != other
    assert (load(first.content).revision, load(other.content).revision) == (7, 8)
    assert replace(load(first.content), revision=None) == load(_bundle().content)
    assert load(_bundle().content).revision is None
    assert _judged(first) is TranslationVerdict.EQUAL
    schema = json_schema()
    assert isinstance(schema, dict)
    assert Draft202012Validator(schema).is_valid(json.loads(first.content))


@pytest.mark.parametrize("text", ["", "0", "-1", "07", "+7", "7.0", "x", "\u0667", "9007199254740992", "9" * 5000])
def test_what_is_no_revision_is_refused(text: str) -> None:
    lowered = TARGET.lower(MESH, _numbered(text))
    assert [(one.code, one.message) for one in lowered.diagnostics] == [
        ("MP709", f"`native.revision` is no revision: `{text}`")
    ]
    assert lowered.bundle.revision is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"schema":"meshproof/bundle/v1"}'])
def test_what_is_no_bundle_is_not_lifted(content: bytes) -> None:
    lifted = TARGET.lift((Artifact("policy.json", content),), OPTIONS)
    assert lifted.mesh is None
    assert [one.code for one in lifted.diagnostics] == ["MP001"]
    assert TARGET.lift((), OPTIONS).mesh is None


def _without_rule(name: str) -> Callable[[Mesh], Mesh]:
    return lambda mesh: replace(mesh, rules=tuple(rule for rule in mesh.rules if rule.id != name))


def _changed_rule(name: str, **changes: object) -> Callable[[Mesh], Mesh]:
    def changed(mesh: Mesh) -> Mesh:
        rules = tuple(replace(rule, **changes) if rule.id == name else rule for rule in mesh.rules)  # type: ignore[arg-type]
        return replace(mesh, rules=rules)

    return changed


def _first(part: str, **changes: object) -> Callable[[Mesh], Mesh]:
    def changed(mesh: Mesh) -> Mesh:
        first, *others = getattr(mesh, part)
        return replace(mesh, **{part: (replace(first, **changes), *others)})  # type: ignore[arg-type]

    return changed


MUTANTS: dict[str, Callable[[Mesh], Mesh]] = {
    "an allow is lost": _without_rule("read"),
    "a deny is lost": _without_rule("no-debug"),
    "a condition is lost": _changed_rule("read", when=Always()),
    "operations are lost": _changed_rule("read", operations=()),
    "destinations are lost": _changed_rule("no-debug", destinations=()),
    "a rule only logs": _changed_rule("read", is_enforced=False),
    "a day has passed": _changed_rule("db", until=date(2026, 1, 1)),
    "mTLS is less": _first("mtls", mode=MtlsMode.DISABLED, until=None),
    "mTLS statements are lost": lambda mesh: replace(mesh, mtls=()),
    "a service is observed": _first("services", observe=Exemption("x", "o", None, NOWHERE)),
    "tokens are not looked at": _first("services", accepts=()),
    "audiences are lost": _first("issuers", audiences=()),
    "routes are lost": lambda mesh: replace(mesh, routes=()),
    "egress is open": lambda mesh: replace(mesh, egress=Egress.OPEN),
    "a gateway knows no certificate": _first("gateways", certificate=None),
    "a gateway takes another host": _first("gateways", hosts=("other.example.com",)),
    "a namespace is open": _first("namespaces", is_closed=False),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_bundle_with_one_mistake_is_not_proved(name: str) -> None:
    bundle = load(_bundle().content)
    broken = replace(bundle, mesh=MUTANTS[name](bundle.mesh))
    assert broken != bundle
    assert _judged(Artifact("policy.json", dump(broken))) not in {TranslationVerdict.EQUAL, TranslationVerdict.STRICTER}
