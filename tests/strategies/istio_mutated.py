"""The policies that mutants are made of: small ones that use what Istio can say, and how they are judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from tests.strategies.istio_mutation import Change, mutated

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.driver.reading_back import judgement, read_back
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.verify.translation import Translation
from meshproof.targets.istio import TARGET
from meshproof.targets.istio.lower import IstioLowered

OPTIONS = CompileOptions(date(2026, 11, 23), (("istio.path-normalization", "DECODE_AND_MERGE_SLASHES"),))

POLICIES = {
    "shop": """
mesh shop {
    language 1
    trust-domain "td"
    aliases "old.td"
    namespace shop
    mtls strict
    environments prod
}
namespace batch { owner "team-batch" }
authorizer judge { address "judge.ops.svc.cluster.local:9000" protocol grpc timeout 1s }
service web     { port http 80 -> 8080  port admin http 9000  port db tcp 5432 }
service cart    { port grpc 7000  versions v1, v2 }
service orders  { port http 80 -> 8080 }
service job     { namespace batch  port http 8080 }
service legacy  { namespace batch  account shared  labels { app: "web" }  port http 80 -> 8080  port raw tcp 6000 }
service scraper { namespace monitoring account prometheus }

allow browse: { cart, orders } -> web:http {
    GET|HEAD /items
    GET      /static/**
    POST     /basket
}
allow items: job -> web:http {
    GET  /items/{id}
    POST /basket/{id}/add
}
allow admin: namespace batch -> web:admin {
    GET /admin/**
    when header["x-team"] == "ops" and not has header["x-proxy"]
    when source.ip in "10.1.0.0/16"
}
allow scrape: scraper -> web:admin {
    GET /metrics
}
allow data: { orders, cart } -> web:db
allow add: web -> cart:grpc {
    call shop.Cart/Add
    call shop.Cart/Get
}
allow drop: job -> cart:grpc { call shop.Cart/Drop }
allow pay: authenticated -> orders:http { POST /pay/** }
deny no-debug: anyone -> orders {
    * /pay/debug/**
    unless source in namespace batch
}
deny no-cart: cart -> { web, job }
ask judged: anyone -> job:http {
    POST /**
    via judge
}
allow run: { web, orders, cart } -> job:http {
    POST /run
    GET /state
    when header["x-mode"] != "dry" and has header["x-mode"]
}
allow old: plaintext -> legacy:http {
    GET /old
    because "old machines" owner "team-batch" until 2027-01-31
}
allow new: authenticated -> legacy:http { GET /new }
allow raw: web -> legacy:raw
mtls permissive for legacy:http { because "old machines" until 2027-01-31 }
""",
    "routes": """
mesh routes {
    language 1
    trust-domain "td"
    namespace shop
    mtls strict
}
service web  { port http 80 -> 8080 }
service api  { port http 80 -> 8080  versions v1, v2, v3 }
service copy { port http 80 -> 8080 }
service far  { namespace far }
service books { port grpc 9000  versions v1, v2 }
allow use: { web, far } -> { api, books, copy }
allow copy: api -> copy
route api:http {
    GET /beta/** => v3 { timeout 4s }
    when header["x-canary"] == "true" => v2 { timeout 1s retry 2 on reset, 503 within 300ms mirror v3 10% }
    /old => { redirect 301 path /items }
    otherwise => v1 90%, v2 10% {
        set header "x-a" "b"
        fault delay 2s 5%
        cors { origins "https://shop.example"  methods GET  credentials }
    }
    limit connections 100, pending 50, requests 200
    eject after 5 errors for 30s up to 50%
    balance round-robin
}
route books:grpc {
    when source in namespace shop => v1
    otherwise => v2
    timeout 3s
}
""",
    "tokens": """
mesh tokens {
    language 1
    trust-domain "td"
    namespace shop
    mtls strict
}
issuer idp { url "https://idp.example" jwks "https://idp.example/jwks" audiences "shop", "api" }
issuer kiosk { url "https://kiosk.example" jwks "https://kiosk.example/jwks" from header "x-kiosk" }
service web { port http 80 -> 8080 }
service api { port http 80 -> 8080 accepts idp, kiosk }
service notes { port http 80 -> 8080 accepts idp }
allow use: web -> api {
    GET /me
    when token from idp
    when claim["role"] in ["admin", "staff"]
}
allow tell: web -> notes {
    POST /n
    when token.subject == "sam"
    when token.audience == "shop"
}
allow kiosk: web -> api {
    GET /kiosk
    when token from kiosk
}
""",
    "edge": """
mesh edge {
    language 1
    trust-domain "td"
    namespace shop
    mtls strict
}
gateway edge {
    namespace istio-ingress
    hosts "shop.example", "www.shop.example"
    port https 443 -> 8443
    certificate "cert"
    client-ca "ca"
    trusted-proxies 1
}
gateway plain { namespace istio-ingress  hosts "api.example"  port http 80 -> 8080  trusted-proxies 1 }
service web { port http 80 -> 8080 }
service pay { port http 80 -> 8080 }

allow enter: internet -> edge
allow api: internet -> plain {
    GET /api/**
    GET /health
}
allow shop: { edge, plain } -> web:http { GET /** }

route edge { host "shop.example" /** => web:http { timeout 5s } }
route plain {
    host "api.example" GET /api/** => web:http
    host "api.example" /health     => web:http
}
""",
    "outside": """
mesh outside {
    language 1
    trust-domain "td"
    namespace shop
    mtls strict
    egress closed
}
external stripe { hosts "api.stripe.com"  port https 443 }
external pool { hosts "*.pool.example"  port tls 443 }
service web { port http 80 -> 8080 }
service pay { port http 80 -> 8080 }
allow pay: pay -> stripe
allow pool: { web, pay } -> pool
""",
    "relay": """
mesh relay {
    language 1
    trust-domain "td"
    namespace shop
    mtls strict
    egress closed
}
gateway out { namespace edges  port tls 443 -> 8443 }
external api   { hosts "api.example"  port https 443 originate  via out }
external vault { hosts "vault.example"  port https 443  via out }
service web { port http 80 }
service job { }
allow read: web -> api { GET /v1/** }
allow store: { web, job } -> vault
""",
    "ways": """
mesh ways {
    language 1
    trust-domain "td"
    namespace shop
    mtls strict
    egress closed
}
namespace vault { closed }
external bank { hosts "bank.example", "eu.bank.example"  port https 443 originate }
gateway two {
    namespace istio-ingress
    hosts "two.example"
    port http 80 -> 8080
    port https 443 -> 8443
    certificate "cert"
}
gateway through { namespace istio-ingress  hosts "raw.example"  port tls 443 -> 8443 passthrough }
service web { port http 80 -> 8080  port raw tcp 6000 }
service plain { port http 80 -> 8080 }
service keys { namespace vault  port http 80 -> 8080 }
allow enter: internet -> two { GET /** }
allow shop: two -> web:http { GET /** }
allow raw: through -> web:raw
allow pay: web -> bank
allow old: anyone -> plain { GET /old }
allow keys: web -> keys { GET /keys/{id} }
mtls permissive for plain { because "old machines" until 2027-01-31 }
route two { host "two.example" /** => web:http }
""",
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A policy and what was emitted for it."""

    mesh: Mesh
    lowered: IstioLowered
    files: tuple[Artifact, ...]

    def judged(self, files: tuple[Artifact, ...]) -> Translation:
        """What is found of files that were emitted for the policy."""
        lifted = read_back(TARGET, files, OPTIONS, self.mesh)
        assert lifted.mesh is not None, "a mutant is read"
        return judgement(self.mesh, lifted, self.lowered.losses, OPTIONS.day)

    def after(self, change: Change) -> Translation:
        """What is found of the files after a change."""
        return self.judged(mutated(self.files, change))


@cache
def compiled(policy: str) -> Compiled:
    """One of the policies, compiled once."""
    (mesh,) = policy_of_texts({f"{policy}.mesh": POLICIES[policy]}).meshes
    lowered = TARGET.lower(mesh, OPTIONS)
    assert not has_errors(lowered.diagnostics), [one.message for one in lowered.diagnostics]
    return Compiled(mesh, lowered, TARGET.emit(lowered))
