"""Every MP2 code: what causes it, and the words of the policy that it points at (between ⟦ and ⟧)."""

from __future__ import annotations

import pytest
from tests.strategies.policy_text import MESH, document_of

from meshproof.compiler.resolve import resolve
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.problems import LEDGER

WEB = "service web { port http 80 -> 8080  port db tcp 5432  versions v1, v2 }\nservice cron {}\n"
EDGE = 'gateway edge { hosts "a.example" port https 443 -> 8443 certificate "c" }\n'
OPA = 'authorizer opa { address "opa:9191" }\n'
IDP = 'issuer idp { url "https://idp" }\n'

CASES = (
    ("MP201", WEB + "allow ⟦wep⟧ -> web", "did you mean `web`?"),
    ("MP201", WEB + "service b { accepts ⟦idp⟧ }", None),
    ("MP201", WEB + "allow a: web -> web { when token from ⟦idp⟧ }", None),
    ("MP201", WEB + "ask a: web -> web { via ⟦opa⟧ }", None),
    ("MP201", WEB + "service b { port http ⟦$p⟧ }", None),
    ("MP201", WEB + 'external e { hosts "e" port http 80 via ⟦edge⟧ }', None),
    ("MP201", WEB + "allow a: web -> web\ntest t { web -> web:http GET / => allow by ⟦b⟧ }", None),
    ("MP201", WEB + "service b { calls ⟦wbe⟧ }", "did you mean `web`?"),
    ("MP202", WEB + "gateway ⟦web⟧ { port http 80 }", "zones and values share their names"),
    ("MP202", WEB + "allow a: web -> web:http\ndeny ⟦a⟧: web -> web:db", "call one of them something else"),
    ("MP202", WEB + "allow web -> web:http\n⟦allow web -> web:http⟧", "write a name before the sources"),
    ("MP202", "namespace n {}\nnamespace ⟦n⟧ {}", None),
    ("MP202", WEB + 'prove "a" { web can reach web:http }\nprove ⟦"a"⟧ { web can reach web:db }', None),
    ("MP202", WEB + "test a { web -> web:db => deny }\ntest ⟦a⟧ { web -> web:db => deny }", None),
    ("MP202", 'service a { labels { x: "1", ⟦x: "2"⟧ } }', None),
    ("MP202", "service a { versions v1, ⟦v1⟧ }", None),
    ("MP201", WEB + 'allow a: web -> web { when source in ⟦"spiffe://td/a"⟧ }',
     'an identity is written `identity "spiffe://td/a"`'),
    ("MP202", 'mesh m { language 1 trust-domain "td" aliases "a", ⟦"td"⟧ }', "name it once"),
    ("MP202", 'mesh m { language 1 trust-domain "td" aliases "a" trusts ⟦"a"⟧ }', "name it once"),
    ("MP202", 'mesh m { language 1 trust-domain "td" environments d, e }\nvalue v = 1, env d 2, env e, ⟦d⟧ 3', None),
    ("MP202", IDP + 'issuer ⟦other⟧ { url "https://idp" audiences "b" }', "one issuer with all its audiences"),
    ("MP203", EDGE + IDP + "allow ⟦idp⟧ -> edge", None),
    ("MP203", WEB + 'external e { hosts "e" port tcp 1 }\nallow ⟦e⟧ -> web', None),
    ("MP203", WEB + 'external e { hosts "e" port tcp 1 }\nzone out = { e }\nallow a: ⟦out⟧ -> web', None),
    ("MP203", EDGE + "mtls strict for ⟦edge⟧", None),
    ("MP203", WEB + "route ⟦{ web }⟧ { timeout 1s }", "write a route for each"),
    ("MP208", 'mesh m { language ⟦2⟧ trust-domain "td" }', "write `language 1`"),
    ("MP207", 'mesh ⟦m⟧ { trust-domain "td" }', "write `language 1`"),
    ("MP206", MESH + 'mesh ⟦n⟧ { language 1 trust-domain "td" }', "all files of a policy folder are one policy"),
    ("MP209", "mesh ⟦m⟧ { language 1 }", 'write `trust-domain "cluster.local"`'),
    ("MP209", 'mesh m { language 1 trust-domain "td" }\nservice ⟦a⟧ {}',
     "write it here, or as the default in the mesh: `namespace NAME`"),
    ("MP209", "issuer ⟦i⟧ {}", 'write the `iss` of its tokens: `url "https://…"`'),
    ("MP209", "authorizer ⟦i⟧ {}", 'write `address "opa.authz:9191"`'),
    ("MP209", "gateway ⟦g⟧ {}", "write `port https 443 -> 8443`"),
    ("MP209", "external ⟦e⟧ { port http 80 }", 'write `hosts "api.example.com"`'),
    ("MP209", 'external ⟦e⟧ { hosts "e" }', "write `port https 443`"),
    ("MP210", "service a { env ⟦prod⟧ }", "list it in the mesh: `environments prod`"),
    ("MP210", "value v = 1, env ⟦prod⟧ 2", "list it in the mesh: `environments prod`"),
    ("MP211", WEB + "allow web -> web:⟦htpt⟧", "did you mean `http`?"),
    ("MP211", WEB + "allow web -> web:⟦80⟧", "here the workload's port is meant: `8080` or `http`"),
    ("MP211", WEB + "allow web -> web:⟦9⟧", "its ports: `5432`, `8080`"),
    ("MP211", WEB + "allow a: web -> all:⟦metrics⟧", "its ports: `db`, `http`"),
    ("MP212", "service a { port http 80 ⟦port http 81⟧ }",
     "a port without a name has that of its protocol: write `port NAME PROTOCOL NUMBER`"),
    ("MP212", "service a { port http 80 ⟦port x http 81 -> 80⟧ }", "each port has numbers of its own"),
    ("MP212", "service a { port http 80 -> 8080 ⟦port x http 80 -> 8081⟧ }", "each port has numbers of its own"),
    ("MP212", "service a { port http ⟦70000⟧ }", None),
    ("MP212", 'external e { hosts "e" port http 80 ⟦originate⟧ }', "such as `https`"),
    ("MP212", "gateway g { port http 80 ⟦passthrough⟧ }", None),
    ("MP213", "service a { tags pci }\nzone z = tagged ⟦pic⟧", "did you mean `pci`?"),
    ("MP214", WEB + "test t { web -> web:http GET / => route ⟦v9⟧ }", None),
    ("MP215", "⟦zone a = { b }⟧\nzone b = { a }", None),
    ("MP216", WEB + "⟦allow all -> web⟧", "write `allow NAME: all -> web`"),
    ("MP217", WEB + "allow a: web -> ⟦web:db⟧ { GET / }", None),
    ("MP217", WEB + "deny a: web -> { web:http, ⟦web:5432⟧ } { GET / }", None),
    ("MP217", "service r { port tcp 1 }\nallow a: r -> ⟦{ r }⟧ { when has token }", None),
    ("MP217", WEB + 'route web:db { host ⟦"x"⟧ => v1 }', None),
    ("MP217", WEB + 'route web:db { when has ⟦header["x"]⟧ => v1 }', None),
    ("MP217", "service r { port tcp 1 port b tcp 2 }\nroute ⟦r⟧ { timeout 1s }", "write `route r:tcp`"),
    ("MP217", WEB + "test t { web -> web:db ⟦GET /⟧ => deny }", None),
    ("MP217", WEB + 'test t { web -> web:db with ⟦header["x"] == "1"⟧ => deny }', None),
    ("MP218", WEB + "allow web -> ⟦cron⟧", None),
    ("MP218", WEB + "route ⟦cron⟧ { timeout 1s }", None),
    ("MP218", WEB + "test t { web -> ⟦cron⟧ => deny }", None),
    ("MP219", WEB + "allow a: ⟦internet⟧ -> web", None),
    ("MP219", WEB + EDGE + "allow a: ⟦{ internet, web }⟧ -> { edge, web }", None),
    ("MP219", WEB + "allow a: anyone except ⟦internet⟧ -> web",
     "write `except plaintext`, which takes out every caller without identity"),
    ("MP219", WEB + "deny a: web -> web { unless ⟦source in { internet }⟧ }",
     "in a condition write `plaintext`, every caller without identity"),
    ("MP219", WEB + 'prove "p" { no request from ⟦internet⟧ to web }', None),
    ("MP219", WEB + "test t { ⟦internet⟧ -> web:db => deny }", "a caller without identity is `plaintext`"),
    ("MP220", WEB + 'deny a: web -> web { when source.ip in ⟦"10.0.0.300/8"⟧ }', None),
    ("MP220", WEB + 'deny a: web -> web { when source.ip in ⟦"10.0.0.1/8"⟧ }',
     "write `10.0.0.0/8`, or the address without a prefix"),
    ("MP220", WEB + 'deny a: web -> web { when source.ip startswith ⟦"10."⟧ }', "use `==` or `in`"),
    ("MP220", WEB + 'deny a: web -> web { when ⟦header["a"] in "10.0.0.0/8"⟧ }',
     'a list of values is written in brackets: `in ["a", "b"]`'),
    ("MP220", WEB + 'deny a: web -> web { when header["a"] == ⟦1⟧ }', 'write `"1"`'),
    ("MP220", WEB + 'deny a: web -> web { when port == ⟦"x"⟧ }', None),
    ("MP220", WEB + "deny a: web -> web { when port == ⟦70000⟧ }", None),
    ("MP220", WEB + 'deny a: web -> web { when method == ⟦"get"⟧ }', 'write `"GET"`'),
    ("MP220", WEB + 'deny a: web -> web { when path == ⟦"x"⟧ }', None),
    ("MP220", WEB + 'deny a: web -> web { when path == ⟦"/a//b"⟧ }', None),
    ("MP220", WEB + 'deny a: web -> web { when path startswith ⟦"a"⟧ }', None),
    ("MP220", WEB + 'deny a: web -> web { when host == ⟦"a.example:80"⟧ }',
     "a host has no port, path or scheme; use `port` for the port"),
    ("MP221", WEB + 'deny a: web -> web { when has ⟦header["Host"]⟧ }', "use `host`"),
    ("MP221", WEB + 'deny a: web -> web { when has ⟦header[":method"]⟧ }', "use `method`"),
    ("MP221", WEB + 'deny a: web -> web { when has ⟦header["X-Forwarded-For"]⟧ }', "use `client.ip`"),
    ("MP221", WEB + 'deny a: web -> web { when has ⟦header["x-envoy-retry-on"]⟧ }',
     "the proxy writes it, and no attribute stands for it"),
    ("MP221", WEB + 'deny a: web -> web { when has ⟦header["a b"]⟧ }', "a name is letters, digits and `-`"),
    ("MP221", WEB + 'route web { set header ⟦"x-forwarded-for"⟧ "1" }', "use `client.ip`"),
    ("MP222", WEB + 'deny a: web -> web { when path matches re"/a⟦(?=b)"⟧ }',
     "the expression is RE2 and must match the whole value"),
    ("MP223", WEB + "mtls strict for web:http\n⟦mtls strict for web:8080⟧",
     "the closest statement holds: port, service, namespace, mesh; keep one of these"),
    ("MP223", 'mesh m { language 1 trust-domain "td" mtls strict }\n⟦mtls strict for all⟧',
     "the closest statement holds: port, service, namespace, mesh; keep one of these"),
    ("MP224", 'zone ⟦cde⟧ "cards"', None),
    ("MP226", 'namespace app { files "x/**" }\n' + WEB + "⟦allow web -> web⟧", "a deny may stand anywhere"),
    ("MP226", 'namespace app { files "x/**" }\n' + WEB + "⟦route web { timeout 1s }⟧",
     "a deny may stand anywhere"),
    ("MP226", 'namespace app { files "x/**" }\n⟦mtls strict for namespace app⟧',
     "a deny may stand anywhere"),
    ("MP227", 'mesh ⟦m⟧ { language 1 trust-domain "td" }\nexternal e { hosts "e" port http 80 }',
     "write `egress closed` (services call outside only what a rule allows) or `egress open`"),
    ("MP228", 'mesh m { language 1 trust-domain ⟦"A.B"⟧ }', None),
    ("MP228", 'service a { identity ⟦"spiffe://other/x"⟧ }', None),
    ("MP228", 'service ⟦"a b"⟧ {}', None),
    ("MP228", WEB + 'allow a: ⟦identity "spiffe://td/a*"⟧ -> web', None),
    ("MP228", WEB + 'allow a: namespace n of ⟦"other"⟧ -> web', 'name it in the mesh: `trusts "other"`'),
    ("MP229", WEB + EDGE + 'allow a: { edge, web } -> web:http { when ⟦client.ip⟧ in "10.0.0.0/8" }', None),
    ("MP230", WEB + "⟦ask a: web -> web⟧", "write `via AUTHORIZER`"),
    ("MP230", WEB + OPA + "deny a: web -> web { via ⟦opa⟧ }", None),
    ("MP231", WEB + "route web:http { timeout 1s }\nroute ⟦web:8080⟧ { timeout 2s }", None),
    ("MP232", WEB + EDGE + 'route edge { host "a.example" => ⟦web⟧ }', None),
    ("MP232", WEB + "route web { /x => ⟦web:http⟧ }", "who calls a service sends the request to it"),
    ("MP232", WEB + "route web { when ⟦has token⟧ => v1 }", None),
    ("MP232", WEB + "route web { when ⟦source in { web }⟧ => v1 }", None),
    ("MP232", WEB + 'route web { when ⟦client.ip⟧ in "10.0.0.0/8" => v1 }', None),
    ("MP232", WEB + "route web { /x => v1 { limit ⟦connections 1⟧ } }", "outside of the branch"),
    ("MP232", WEB + "route web { /x => v1 { rewrite path ⟦/y/**⟧ } }", "give the branch a path that ends in `/**`"),
    ("MP232", EDGE + "route edge { ⟦/x => { timeout 1s }⟧ }", "write `=> SERVICE:PORT`, or a redirect"),
    ("MP233", WEB + "test t { ⟦web -> web:http⟧ => deny }",
     "write `GET /`, or another method and path, or `call SERVICE/METHOD`"),
    ("MP233", WEB + "test t { web -> ⟦web⟧ GET / => deny }", "write one of `web:db`, `web:http`"),
    ("MP233", WEB + 'test t { ⟦web -> web:http GET / with claim["a"] == "b"⟧ => deny }', "write `token from ISSUER`"),
    ("MP233", WEB + 'test t { web -> web:http GET / with ⟦path == "/x"⟧ => deny }', None),
    ("MP233", WEB + 'test t { web -> web:http GET / with source.ip == ⟦"10.0.0.0/8"⟧ => deny }', None),
    ("MP233", WEB + 'test t { web -> web:http GET / with host == "a", ⟦host == "b"⟧ => deny }', None),
    ("MP220", WEB + 'test t { web -> web:http GET / with query["a"] == ⟦"b&c"⟧ => deny }',
     "write it escaped, `b%26c`"),
    ("MP220", WEB + 'test t { web -> web:http GET / with ⟦query["a=b"]⟧ == "c" => deny }',
     "write it escaped, `a%3Db`"),
    ("MP220", WEB + 'deny a: web -> web { when query["a"] == ⟦"b c"⟧ }', "write it escaped, `b%20c`"),
    ("MP220", WEB + 'deny a: web -> web { when query["a"] in ["b", ⟦"é"⟧] }',
     "write it escaped, `%C3%A9`"),
    ("MP220", WEB + 'deny a: web -> web { when query["a"] startswith ⟦"b#"⟧ }', "write it escaped, `b%23`"),
    ("MP220", WEB + 'deny a: web -> web { when query["a"] endswith ⟦"&b"⟧ }', "write it escaped, `%26b`"),
    ("MP220", WEB + 'deny a: web -> web { unless has ⟦query["a&b"]⟧ }', "write it escaped, `a%26b`"),
    ("MP220", WEB + 'deny a: web -> web { when path startswith ⟦"/a//"⟧ }', None),
    ("MP220", WEB + 'deny a: web -> web { when path startswith ⟦"/a/../b"⟧ }', None),
    ("MP220", WEB + 'deny a: web -> web { when path startswith ⟦"/a%2Fb"⟧ }', None),
    ("MP220", WEB + 'deny a: web -> web { when path startswith ⟦"/a?b"⟧ }', None),
    ("MP220", WEB + 'deny a: web -> web { when path endswith ⟦"/./x"⟧ }', None),
    ("MP220", WEB + 'deny a: web -> web { when path endswith ⟦"a b"⟧ }', None),
    ("MP233", WEB + "test t { web -> web:http GET / => ⟦route v1 50%, v2 40%⟧ }",
     "write the percent of each, as the route does"),
    ("MP233", WEB + OPA + 'prove "p" { web can call web:http GET / with ⟦opa == allow⟧ }', "write it in a test"),
    ("MP233", WEB + 'prove "p" { web can call web:http GET / with ⟦token invalid⟧ }', "write it in a test"),
    ("MP233", WEB + 'prove "p" { web can call web:http GET / with ⟦at 2027-01-31⟧ }', "write it in a test"),
    ("MP233", WEB + IDP + 'test t { web -> web:http GET / with token from idp, claim["a"] == "b", '
     '⟦claim["a"]["c"] == "d"⟧ => deny }', None),
    ("MP234", WEB + "allow a: web -> ⟦namespace nowhere⟧", None),
    ("MP234", WEB + "mtls strict for ⟦{ web } except web⟧", None),
    ("MP235", "value n = 1\nservice a { name ⟦$n⟧ }", None),
    ("MP235", 'value n = "x"\nservice a { port http ⟦$n⟧ }', None),
    ("MP236", 'gateway g { hosts ⟦"https://a"⟧ port http 80 }', None),
    ("MP236", WEB + "route web { fault abort ⟦100⟧ 1% }", "from 200 to 599"),
    ("MP237", "gateway g { ⟦port https 443⟧ }", None),
    ("MP201", WEB + "test t { web -> ⟦wbe⟧ => deny }", "did you mean `web`?"),
    ("MP201", WEB + "test t { web -> web:http GET / with ⟦opa⟧ == allow => deny }", None),
    ("MP201", WEB + "test t { web -> web:http GET / with token from ⟦idp⟧ => deny }", None),
    ("MP201", WEB + EDGE + "route edge { /x => ⟦wbe⟧:http }", "did you mean `web`?"),
    ("MP203", WEB + 'prove "p" { cron is isolated from web:⟦http⟧ }', None),
    ("MP210", WEB + "allow a: all -> all { env ⟦x⟧ }", "list it in the mesh: `environments x`"),
    ("MP211", EDGE + WEB + "route edge { /x => web:⟦grpc⟧ }", "its ports: `db`, `http`"),
    ("MP217", WEB + "deny a: web -> ⟦web:db⟧ or web:http { GET / }", None),
    ("MP217", WEB + "deny a: web -> ⟦web:db⟧ except cron { GET / }", None),
    ("MP217", WEB + "deny a: web -> { ⟦web:db⟧ and web } { GET / }", None),
    ("MP217", WEB + "test t { web -> web:db with ⟦token invalid⟧ => deny }", None),
    ("MP217", WEB + "route web:db { GET ⟦/x⟧ => v1 }", None),
    ("MP220", WEB + 'deny a: web -> web { when method startswith ⟦"G"⟧ }', "use `==` or `in`"),
    ("MP220", WEB + 'deny a: web -> web { when source.ip matches ⟦re"1.*"⟧ }', "use `==` or `in`"),
    ("MP220", WEB + 'deny a: web -> web { when port endswith ⟦"0"⟧ }', "use `==` or `in`"),
    ("MP220", WEB + 'deny a: web -> web { when ⟦token.subject in "10.0.0.0/8"⟧ }', None),
    ("MP220", WEB + 'deny a: web -> web { when ⟦query["q"] in "10.0.0.0/8"⟧ }', None),
    ("MP220", WEB + 'deny a: web -> web { when ⟦claim["q"]["r"] in "10.0.0.0/8"⟧ }', None),
    ("MP223", WEB + "mtls strict for web\n⟦mtls strict for { web }⟧", None),
    ("MP223", "namespace n { mtls strict }\n⟦mtls permissive for namespace n⟧", None),
    ("MP228", 'service a { identity ⟦"x"⟧ }', None),
    ("MP232", WEB + 'route web { when ⟦claim["a"]⟧ == "b" => v1 }', None),
    ("MP233", WEB + "zone none = { web } except web\ntest t { ⟦none⟧ -> web:db => deny }", None),
    ("MP236", WEB + 'route web { host ⟦"a b"⟧ => v1 }', None),
)  # fmt: skip


@pytest.mark.parametrize(("code", "marked", "advice"), CASES)
def test_it_is_found_at_its_place(code: str, marked: str, advice: str | None) -> None:
    text = marked if marked.startswith("mesh") else MESH + marked
    start = text.index("⟦")
    end = text.index("⟧") - 1
    documents = [document_of(text.replace("⟦", "").replace("⟧", ""))]

    resolution = resolve(documents)

    found = [one for one in resolution.diagnostics if one.code == code]
    assert [one.code for one in resolution.diagnostics] == [code]
    assert found[0].primary is not None
    assert (found[0].primary.start, found[0].primary.end) == (start, end)
    assert bool(resolution.meshes) == (found[0].severity is not Severity.ERROR)
    if advice is not None:
        assert found[0].help is not None
        assert advice in found[0].help


ELSEWHERE = {
    "MP204": "test_environment.py",
    "MP205": "test_header.py",
    "MP225": "test_packs.py",
    "MP238": "test_overlay.py",
}
"""The codes that need more than one file, or several environments."""


def test_every_code_of_names_and_kinds_has_a_case() -> None:
    known = {problem.code for problem in LEDGER if problem.code.startswith("MP2")}

    assert {code for code, _, _ in CASES} | set(ELSEWHERE) == known


def test_messages_are_one_lower_case_sentence() -> None:
    for _, marked, _ in CASES:
        text = marked if marked.startswith("mesh") else MESH + marked
        (found,) = resolve([document_of(text.replace("⟦", "").replace("⟧", ""))]).diagnostics

        assert not found.message.endswith(".")
        assert found.message[0] == "`" or not found.message[0].isupper()
