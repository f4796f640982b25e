"""Good input for each reader, from which the rest is made."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.serialization import Encoding
from tests.strategies.minting import jwk, jwks, signed
from tests.strategies.telling import Kept, connection, record, sink
from tests.unit.runtime.core.http2.ends import data, headers
from tests.unit.runtime.identity.certificates import authority
from tests.unit.runtime.net.material.given_files import bundle

from meshproof.runtime.core.http2 import frames as f
from meshproof.runtime.core.http2.hpack import BlockWriter
from meshproof.runtime.extauthz.check_messages import CheckRequest
from meshproof.runtime.identity.keys import private_pem
from meshproof.runtime.telemetry.chain import Chain, Link
from meshproof.runtime.telemetry.sink import Outputs

_SHAKEN = f.write_settings(()) + f.write_frame(f.SETTINGS, f.ACK, 0)
_ASKED = ((b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/a"), (b":authority", b"a"))
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_REQUESTS = (
    b"GET /a?b=c HTTP/1.1\r\nHost: shop\r\nX-A: b\r\n\r\nGET /d HTTP/1.1\r\nhost: shop\r\n\r\n",
    b"POST /a HTTP/1.1\r\nhost: shop\r\ncontent-length: 5\r\n\r\nhello",
    b"POST /a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nt: u\r\n\r\n",
    b"GET /a HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n\x81\x05hello",
)
_RESPONSES = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-a: b\r\n\r\nhello",
    _CONTINUE + b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\na: b\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n\x81\x05hello",
)
_TRACE = b"0af7651916cd43dd8448eb211c80319c"
_SETTINGS = b"""service = "catalog"
policy = { bundle = "policy.json" }
identity = { folder = "/run/spiffe" }
[[inbound]]
port = 8080
listen = "10.0.0.1:15080"
application = "127.0.0.1:8080"
[telemetry]
access_log = "-"
emf = { namespace = "Shop/Mesh", seconds = 5 }
"""


@cache
def seeds() -> dict[str, tuple[bytes, ...]]:
    """By the name of the reader."""
    return {
        "requests": _REQUESTS,
        "responses": _RESPONSES,
        "exchanges-of-a-client": _REQUESTS,
        "exchanges-of-a-server": _RESPONSES,
        "frames-of-a-client": (
            f.PREFACE + _SHAKEN + headers(1, BlockWriter().write(list(_ASKED))) + data(1, b"hello", is_end=True),
            f.PREFACE
            + _SHAKEN
            + headers(1, BlockWriter().write(list(_ASKED)), is_end=True)
            + f.write_window_update(1, 9),
        ),
        "frames-of-a-server": (
            _SHAKEN + headers(1, BlockWriter().write([(b":status", b"200")])) + data(1, b"hello", is_end=True),
            _SHAKEN + headers(3, BlockWriter().write([(b":status", b"404")]), is_end=True),
        ),
        "bundles": (bundle(),),
        "decisions": (b"GET\n/items/7?a=b\nshop\nx", b"DELETE\n/items/%2e%2e/a\nshop\nx"),
        "questions": (_question(),),
        "trace-headers": (
            b"traceparent\n00-%s-b7ad6b7169203331-01\ntracestate\na=b\nx-request-id\nmine" % _TRACE,
            b"b3\n%s-b7ad6b7169203331-1\nx-amzn-trace-id\nRoot=1-0af76519-16cd43dd8448eb211c80319c;Sampled=1" % _TRACE,
        ),
        "certificates": _certificates(),
        "tokens": (signed({"iss": "a", "aud": ["b"], "exp": 1}, "ES256"), jwks(jwk("ES256"))),
        "settings": (_SETTINGS,),
        "logs": (_log(),),
    }


def _certificates() -> tuple[bytes, ...]:
    issued = authority()
    return (
        issued.certificate.public_bytes(Encoding.PEM),
        issued.certificate.public_bytes(Encoding.DER),
        private_pem(issued.key),
    )


def _question() -> bytes:
    question = CheckRequest()
    http = question.attributes.request.http
    http.method, http.path, http.host = "GET", "/items/7", "shop"
    http.headers["x-role"] = "editor"
    question.attributes.source.principal = "spiffe://shop.example/ns/shop/sa/front"
    question.attributes.metadata_context.filter_metadata["envoy.filters.http.jwt_authn"].update({"payload": {"a": "b"}})
    found: bytes = question.SerializeToString(deterministic=True)
    return found


def _log() -> bytes:
    kept = Kept()
    told = sink(Outputs(decisions=kept))
    told.request(record(connection()))
    told.request(record(connection(), status=403))
    return b"".join(line for line, _ in Chain(Link()).sealed(kept.kept))
