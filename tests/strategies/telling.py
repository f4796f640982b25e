"""Requests and connections as telemetry is told of them, and logs in memory."""

from __future__ import annotations

from dataclasses import replace

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import RuleId
from meshproof.runtime.core.messages import ConnectionRecord, Record, RequestHead, ResponseHead, Side
from meshproof.runtime.telemetry.metrics.registry import Registry
from meshproof.runtime.telemetry.sink import Outputs, Sink

TEXT = """
mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict  egress closed }
service front { port http 80 -> 8080 }
service catalog { port http 80 -> 8080 }
service twin-a { account twin  port http 80 -> 8080 }
service twin-b { account twin  port http 80 -> 8080 }
external bank { hosts "api.bank.example"  port https 443 }
allow browse: front -> catalog:http { GET /items/** }
"""
_SHOP = policy_of_texts({"m.mesh": TEXT}).meshes[0]
FRONT = "spiffe://cluster.local/ns/shop/sa/front"
CATALOG = "spiffe://cluster.local/ns/shop/sa/catalog"
ALLOWED = Decision(is_allowed=True, reason=Reason.RULE, determined_by=(RuleId("browse"),))
REFUSED = Decision(is_allowed=False, reason=Reason.DEFAULT)
OBSERVED = Decision(is_allowed=True, reason=Reason.DEFAULT, is_observed=True)
WALL, MONOTONIC = 1_790_000_000.25, 1000.0


class Kept:
    """A log in memory."""

    lost = 0

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.flushes = 0

    @property
    def lines(self) -> int:
        return len(self.kept)

    def add(self, line: str) -> None:
        self.kept.append(line)

    def flush(self) -> None:
        self.flushes += 1

    def close(self, seconds: float) -> None:
        assert seconds >= 0


def shop() -> Mesh:
    """A policy of a few services."""
    return _SHOP


def connection(**fields: object) -> ConnectionRecord:
    """A connection of `front` to `catalog`, as `catalog`'s proxy sees it."""
    made = ConnectionRecord(
        Side.INBOUND, "10.0.0.1:8443", "catalog", 8080, "10.0.0.7:5123", FRONT, CATALOG, is_tls=True, opened=MONOTONIC
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # fields by name


def record(
    of: ConnectionRecord, *lines: tuple[bytes, bytes], target: str = "/items/7?page=2", **fields: object
) -> Record:
    """A request that was allowed and answered with 200, a millisecond and a half after it came."""
    head = RequestHead("GET", target, "catalog.shop", list(lines))
    made = Record(of, head, MONOTONIC + 1, 0.0, MONOTONIC + 1.001, MONOTONIC + 1.0015, 200, "", ALLOWED, "sha256:ab")
    made.response = ResponseHead(200, [], 1234)
    made.received, made.sent, made.upstream = 10, 1234, "127.0.0.1:8080"
    made.request_id, made.trace_id = "c0ffee", "0af7651916cd43dd8448eb211c80319c"
    return replace(made, **fields)  # type: ignore[arg-type]  # fields by name


def sink(outputs: Outputs | None = None) -> Sink:
    """A sink under the policy of `shop`."""
    made = Sink(Registry(), outputs or Outputs(), WALL, MONOTONIC)
    made.policy(shop(), "sha256:ab")
    return made
