"""Rules: who, and what of a request they read."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.targets.appmesh.features.case import (
    HERE,
    KEPT,
    LOST,
    NOTED,
    REFUSED,
    SERVICES,
    UNTIL,
    Case,
    allowed,
    denied,
)

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.matchers import Regex
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import Method, Test

_OPA = 'authorizer opa { address "opa.authz:9191"  protocol http  timeout 200ms }\n'
_LONG = "a" * 260
_MANY = " ".join(f'when header["x-{number}"] == "1"' for number in range(11))


def _by_expression(mesh: Mesh) -> Mesh:
    (rule,) = mesh.rules
    return replace(mesh, rules=(replace(rule, when=Test(Method(), Regex("G.*"))),))


EFFECTS = (
    Case("allow", KEPT, allowed(""), (Feature.ALLOW,)),
    Case(
        "allow of requests", KEPT, allowed("{ GET|POST /x/** }"), (Feature.ALLOW, Feature.METHOD, Feature.PATH_SEGMENTS)
    ),
    Case("deny of a caller", KEPT, f"{SERVICES}allow x: {{ a, c }} -> b\ndeny y: c -> b\n", (Feature.DENY,)),
    Case("deny of requests", KEPT, denied("{ * /admin/** }"), (Feature.DENY,)),
    Case(
        "deny unless it is a caller",
        KEPT,
        denied("{ unless source in { a } }"),
        (Feature.DENY, Feature.IDENTITY_SOURCE),
    ),
    Case(
        "ask",
        REFUSED,
        f"{SERVICES}{_OPA}allow x: a -> b\nask y: a -> b {{ POST /x  via opa }} {HERE}\n",
        (Feature.ASK,),
    ),
    Case(
        "ask of connections",
        REFUSED,
        f"{SERVICES}{_OPA}allow x: a -> c {HERE}\nask y: a -> c {{ via opa }} {HERE}\n",
        (Feature.ASK,),
    ),
    Case(
        "ask of a caller",
        REFUSED,
        f"{SERVICES}{_OPA}allow x: a -> b\nask y: anyone -> b {{ when source in {{ a }}  via opa }} {HERE}\n",
        (Feature.ASK_BY_IDENTITY,),
    ),
    Case("ask of nobody", KEPT, f"{SERVICES}{_OPA}allow x: a -> b\nask y: c -> b {{ via opa }}\n"),
    Case(
        "audit of a deny", NOTED, f"{SERVICES}allow x: a -> b\naudit deny y: a -> b {UNTIL} {HERE}\n", (Feature.AUDIT,)
    ),
    Case("audit of an allow", NOTED, f"{SERVICES}audit allow y: a -> b {UNTIL} {HERE}\n", (Feature.AUDIT,)),
    Case("an allow past its day", KEPT, f'{SERVICES}allow x: a -> b {{ because "x" until 2026-01-31 }}\n'),
)

SOURCES = (
    Case(
        "an identity", KEPT, SERVICES + 'allow x: identity "spiffe://td/ns/x/sa/y" -> b\n', (Feature.IDENTITY_SOURCE,)
    ),
    Case(
        "identities below one",
        LOST,
        f'{SERVICES}allow x: identity "spiffe://td/ns/x/*" -> b {HERE}\n',
        (Feature.IDENTITY_SOURCE,),
    ),
    Case("a namespace", LOST, f"{SERVICES}allow x: namespace jobs -> b {HERE}\n", (Feature.IDENTITY_SOURCE,)),
    Case(
        "a zone", LOST, f"{SERVICES}zone z = {{ namespace jobs }}\nallow x: z -> b {HERE}\n", (Feature.IDENTITY_SOURCE,)
    ),
    Case("a tag", KEPT, f"{SERVICES}service t {{ tags old }}\nallow x: tagged old -> b\n"),
    Case("all", KEPT, f"{SERVICES}allow x: all -> b\n"),
    Case("all but one", KEPT, f"{SERVICES}allow x: all except c -> b:8080\n"),
    Case("authenticated", KEPT, f"{SERVICES}allow x: authenticated -> b\n", (Feature.IDENTITY_SOURCE,)),
    Case("authenticated, for some", LOST, f"{SERVICES}allow x: authenticated -> b {{ GET /x }} {HERE}\n"),
    Case("itself", KEPT, f"{SERVICES}allow x: b -> b\n"),
    Case("one account of two", KEPT, f"{SERVICES}service d {{ account a  port http 81 }}\nallow x: a -> b\n"),
    Case("plaintext where TLS is asked for", KEPT, f'{SERVICES}allow x: plaintext -> b {{ because "x" }}\n'),
    Case(
        "plaintext",
        REFUSED,
        f'{SERVICES}mtls permissive for b:http {UNTIL}\nallow x: plaintext -> b {{ because "x" }} {HERE}\n',
        (Feature.PLAINTEXT_SOURCE,),
    ),
)

CONNECTIONS = (
    Case("source.ip", REFUSED, allowed('{ when source.ip in "10.0.0.0/8" }'), (Feature.SOURCE_ADDRESS,)),
    Case("source.ip of a deny", REFUSED, denied('{ when source.ip in "10.0.0.0/8" }'), (Feature.SOURCE_ADDRESS,)),
    Case(
        "source.ip of connections",
        REFUSED,
        f'{SERVICES}allow x: a -> c {{ when source.ip == "10.0.0.7" }} {HERE}\n',
        (Feature.SOURCE_ADDRESS,),
    ),
    Case("sni", REFUSED, allowed('{ when sni == "x" }'), (Feature.SNI,)),
    Case(
        "sni of connections",
        REFUSED,
        f'{SERVICES}service t {{ port tls 443 }}\nallow x: a -> t {{ when sni == "x" }} {HERE}\n',
        (Feature.SNI,),
    ),
    Case("port", KEPT, allowed("{ when port == 8080 }")),
    Case("another port", KEPT, allowed("{ when port != 8080 }")),
    Case("HTTP, of a port for TCP", KEPT, f"{SERVICES}allow x: a -> c\ndeny y: anyone -> all {{ * /debug/** }}\n"),
)

REQUESTS = (
    Case("method", KEPT, allowed('{ when method == "GET" }'), (Feature.METHOD,)),
    Case("any other method", KEPT, allowed('{ when method != "GET" }'), (Feature.METHOD,)),
    Case("a method without a name", REFUSED, allowed("{ M-SEARCH /x }"), (Feature.METHOD,)),
    Case(
        "deny of a method without a name",
        LOST,
        f"{SERVICES}allow x: a -> b {HERE}\ndeny y: a -> b {{ M-SEARCH /x }}\n",
        (Feature.METHOD,),
    ),
    Case("method by expression", LOST, allowed(""), (Feature.METHOD_REGEX,), change=_by_expression),
    Case("a call of gRPC", KEPT, f"{SERVICES}service g {{ port grpc 91 }}\nallow x: a -> g {{ call p.S/M }}\n"),
    Case("calls of gRPC", KEPT, f"{SERVICES}service g {{ port grpc 91 }}\nallow x: a -> g {{ call p.S/* }}\n"),
    Case("HTTP/2", KEPT, f"{SERVICES}service g {{ port http2 91 }}\nallow x: a -> g {{ GET /x }}\n"),
    Case("path", KEPT, allowed("{ GET /items/{id}/x }"), (Feature.PATH_SEGMENTS,)),
    Case("paths below one", KEPT, allowed("{ when path in /api/** }"), (Feature.PATH_SEGMENTS,)),
    Case("any other path", KEPT, allowed('{ when path != "/x" }'), (Feature.PATH_SEGMENTS,)),
    Case("path that begins", KEPT, allowed('{ when path startswith "/x" }'), (Feature.PATH_SEGMENTS,)),
    Case("path that ends", KEPT, allowed('{ when path endswith "/x" }'), (Feature.PATH_SEGMENTS,)),
    Case("a path that is too long", REFUSED, allowed(f"{{ GET /{_LONG} }}"), (Feature.PATH_SEGMENTS,)),
    Case("path by expression", KEPT, allowed('{ when path matches re"/x/[a-z]+" }'), (Feature.PATH_REGEX,)),
    Case("a long expression", REFUSED, allowed(f'{{ when path matches re"/{_LONG}" }}'), (Feature.PATH_REGEX,)),
    Case(
        "two conditions on a path",
        REFUSED,
        allowed('{ GET /a/{x} when path endswith "x" }'),
        (Feature.PATH_INTERSECTION,),
    ),
    Case("raw paths", KEPT, denied("{ * /admin/** }"), (Feature.RAW_PATHS,)),
    Case("host", REFUSED, allowed('{ when host == "x" }'), (Feature.HOST,)),
    Case("host of a deny", REFUSED, denied('{ when host endswith ".x" }'), (Feature.HOST,)),
)

VALUES = (
    Case("header", LOST, allowed('{ when header["x-a"] == "1" }'), (Feature.HEADER,)),
    Case("any other header", LOST, allowed('{ when header["x-a"] != "1" }'), (Feature.HEADER,)),
    Case("header of a deny", LOST, denied('{ when header["x-a"] == "1" }'), (Feature.HEADER,)),
    Case("header that begins", LOST, allowed('{ when header["x-a"] startswith "1" }'), (Feature.HEADER,)),
    Case("header that ends", LOST, allowed('{ when header["x-a"] endswith "1" }'), (Feature.HEADER,)),
    Case("a header is there", KEPT, allowed('{ when has header["x-a"] }'), (Feature.HEADER,)),
    Case("a header is not there", KEPT, allowed('{ when not has header["x-a"] }'), (Feature.HEADER,)),
    Case("too many headers", REFUSED, allowed(f"{{ {_MANY} }}"), (Feature.HEADER,)),
    Case("a long name of a header", REFUSED, allowed('{ when header["' + "x" * 60 + '"] == "1" }'), (Feature.HEADER,)),
    Case("header by expression", LOST, allowed('{ when header["x-a"] matches re"[0-9]+" }'), (Feature.HEADER_REGEX,)),
    Case("an empty header", LOST, allowed('{ when header["x-a"] == "" }'), (Feature.EMPTY_VALUE,)),
    Case("an empty query", REFUSED, allowed('{ when query["q"] == "" }'), (Feature.EMPTY_VALUE,)),
    Case("query", LOST, allowed('{ when query["q"] == "1" }'), (Feature.QUERY,)),
    Case("any other query", LOST, allowed('{ when query["q"] != "1" }'), (Feature.QUERY,)),
    Case("query of a deny", LOST, denied('{ when query["q"] == "1" }'), (Feature.QUERY,)),
    Case("a query is there", KEPT, allowed('{ when has query["q"] }'), (Feature.QUERY,)),
    Case("a query is not there", KEPT, allowed('{ when not has query["q"] }'), (Feature.QUERY,)),
    Case("query by expression", REFUSED, allowed('{ when query["q"] matches re"[0-9]+" }'), (Feature.QUERY,)),
    Case("query that begins", REFUSED, allowed('{ when query["q"] startswith "1" }'), (Feature.QUERY,)),
)

CASES = (*EFFECTS, *SOURCES, *CONNECTIONS, *REQUESTS, *VALUES)
