"""A small shop with doors of several classes, a gateway, gRPC, connections, versions, and a port without TLS."""

from __future__ import annotations

SHOP = """mesh shop { language 1  trust-domain "td"  namespace app  egress closed }
service web { port http 8080 }
service mobile {}
service batch {}
service ops {}
service pay { port http 80 -> 9000  port admin http 9100  versions v1, v2 }
service ledger { port grpc 9000  versions v1, v2 }
service db { port tcp 5432 }
service legacy { port http 7000 }
gateway edge {
    namespace app  account edge
    hosts "shop.example", "*.api.example"
    port https 443 -> 8443
    certificate "edge-tls"
}
mtls disabled for legacy:http { because "moving in" until 2027-01-31 }
allow public: internet -> edge
allow storefront: edge -> web {
    GET|HEAD /shop/**
    POST     /cart
}
allow api: edge -> pay:http { GET /v1/{id} }
allow charges: web -> pay:http {
    GET  /v1/**
    POST /charge
}
allow app: mobile -> pay:http {
    GET /v1/{id}
    when header["x-app"] == "2" or query["beta"] == "1"
}
allow nightly: batch -> pay:http
deny secrets: anyone -> pay:http { GET /v1/secret/** }
allow care: ops -> pay:admin
allow reads: web -> ledger { call bank.Ledger/Read }
allow books: batch -> ledger
allow stores: pay -> db
allow old: anyone -> legacy { because "moving in" until 2027-01-31 }
route edge {
    host "shop.example" /**   => web:http
    host "*.api.example" /**  => pay:http
}
route pay:http {
    when header["x-canary"] == "1" => v2
    otherwise => v1 100%
}
route ledger:grpc { otherwise => v1 100% }
"""
