"""What a rule of a VirtualService does to requests besides sending them: time, tries, faults, headers, rewrites."""

from __future__ import annotations

from math import floor

from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.routing import Cors, Fault, HeaderAction, HeaderEdit, Retry, Settings
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.targets.common.tree import Leaf, MapNode, Placed
from meshproof.targets.istio.lift.durations import milliseconds
from meshproof.targets.istio.lift.values import flag, mapping, mappings, number, origin_of, text, texts

DEFAULT_RETRY_ON = ("connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes")
DEFAULT_ATTEMPTS = 2
WHOLE = 100
_HOST = frozenset(("host", ":authority"))


def default_retry(config: MapNode, origin: Origin) -> Retry | None:
    """What proxies do where no rule says anything: Istio's own, or what the mesh's configuration says."""
    said = config.get("defaultHttpRetryPolicy")
    if isinstance(said, MapNode):
        return retry_of(said)
    return Retry(DEFAULT_ATTEMPTS, DEFAULT_RETRY_ON, None, origin)


def retry_of(node: MapNode) -> Retry | None:
    """The retries that are written; no attempts are none."""
    attempts = number(node.get("attempts")) or 0
    if attempts <= 0:
        return None
    written = text(node.get("retryOn")) or ""
    conditions = tuple(one.strip() for one in written.split(",") if one.strip())
    within = duration(node.get("perTryTimeout"))
    return Retry(attempts, conditions or DEFAULT_RETRY_ON, within, origin_of(node))


def duration(node: Placed | None) -> int | None:
    """Milliseconds; none and zero are no bound."""
    return milliseconds(text(node) or "") or None


def percent_of(node: Placed | None, otherwise: int) -> int:
    """A whole percentage: what is neither nothing nor all is never rounded to either."""
    value = node.value if isinstance(node, Leaf) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    if value <= 0 or value >= WHOLE:
        return 0 if value <= 0 else WHOLE
    return min(WHOLE - 1, max(1, floor(value + 0.5)))


def edits_of(headers: Placed | None) -> tuple[tuple[HeaderEdit, ...], str | None]:
    """The edits of request headers, and the host that they set. Envoy removes before it sets and adds."""
    request = mapping(mapping(headers).get("request"))
    edits = [HeaderEdit(HeaderAction.REMOVE, lower_ascii(one.value)) for one in texts(request.get("remove"))]
    host: str | None = None
    for word, action in (("set", HeaderAction.SET), ("add", HeaderAction.ADD)):
        for entry in mapping(request.get(word)).entries:
            value = entry.value.text if isinstance(entry.value, Leaf) else ""
            if lower_ascii(entry.key) in _HOST:
                host = value
            else:
                edits.append(HeaderEdit(action, lower_ascii(entry.key), value))
    return tuple(edits), host


def settings_of(rule: MapNode, default: Retry | None) -> Settings:
    """All but the mirror."""
    retries = rule.get("retries")
    edits, host = edits_of(rule.get("headers"))
    rewrite = mapping(rule.get("rewrite"))
    return Settings(
        timeout_ms=duration(rule.get("timeout")),
        retry=retry_of(retries) if isinstance(retries, MapNode) else default,
        rewrite_path=text(rewrite.get("uri")),
        headers=edits,
        cors=_cors(rule.get("corsPolicy")),
        fault=_fault(rule.get("fault")),
        rewrite_host=text(rewrite.get("authority")) or host,
    )


def _cors(node: Placed | None) -> Cors | None:
    if not isinstance(node, MapNode):
        return None
    origins = [one.value for one in texts(node.get("allowOrigin"))]
    for one in mappings(node.get("allowOrigins")):
        for entry in one.entries:
            value = text(entry.value) or ""
            origins.append({"exact": value, "prefix": f"{value}*"}.get(entry.key, f"regex:{value}"))
    age = text(node.get("maxAge"))
    return Cors(
        tuple(origins),
        tuple(one.value for one in texts(node.get("allowMethods"))),
        tuple(one.value for one in texts(node.get("allowHeaders"))),
        flag(node.get("allowCredentials")) or False,
        None if age is None else milliseconds(age),
    )


def _fault(node: Placed | None) -> Fault | None:
    """Without a percentage no request is troubled."""
    if not isinstance(node, MapNode):
        return None
    delay, abort = mapping(node.get("delay")), mapping(node.get("abort"))
    delay_ms = duration(delay.get("fixedDelay"))
    status = number(abort.get("httpStatus"))
    return Fault(
        delay_ms,
        0 if delay_ms is None else percent_of(delay.at("percentage", "value"), percent_of(delay.get("percent"), 0)),
        status,
        0 if status is None else percent_of(abort.at("percentage", "value"), 0),
    )
