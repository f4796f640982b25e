"""What Istio's webhook and the CEL rules refuse in a PeerAuthentication or a RequestAuthentication."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.admission_authz import target_faults
from meshproof.targets.istio.lift.durations import milliseconds
from meshproof.targets.istio.lift.structure import Fault
from meshproof.targets.istio.lift.values import mapping, mappings, text

_PORT = re.compile(r"[0-9]{1,5}")
_LAST_PORT = 65535
_HEADER = re.compile(r"[-_A-Za-z0-9]+")


def peer_faults(spec: MapNode) -> Iterator[Fault]:
    """Modes of ports need a selector that selects something, and are for numbers of ports."""
    ports = spec.get("portLevelMtls")
    if not isinstance(ports, MapNode):
        return
    if not mapping(spec.at("selector", "matchLabels")).entries:
        yield Fault("spec.portLevelMtls", ports.span, "needs a `selector` with labels")
    for entry in ports.entries:
        if not _PORT.fullmatch(entry.key) or not 0 < int(entry.key) <= _LAST_PORT:
            yield Fault(f"spec.portLevelMtls.{entry.key}", entry.key_span, "is no port")


def request_faults(spec: MapNode) -> Iterator[Fault]:
    """What is wrong with the rules about tokens."""
    yield from target_faults(spec)
    for index, rule in enumerate(mappings(spec.get("jwtRules"))):
        yield from _rule_faults(rule, f"spec.jwtRules[{index}]")


def _rule_faults(rule: MapNode, path: str) -> Iterator[Fault]:
    sources = [name for name in ("jwksUri", "jwks_uri", "jwks") if rule.entry(name) is not None]
    if len(sources) > 1:
        yield Fault(path, rule.span, f"has both `{sources[0]}` and `{sources[1]}`")
    uri = text(rule.get("jwksUri")) or text(rule.get("jwks_uri"))
    if text(rule.get("issuer")) is None and uri is None:
        yield Fault(path, rule.span, "has neither `issuer` nor `jwksUri`")
    if uri is not None and urlsplit(uri).scheme not in {"http", "https"}:
        yield Fault(f"{path}.jwksUri", rule.span, f"is `{uri}`, which is no URL of http or https")
    keys = text(rule.get("jwks"))
    if keys is not None and not _is_key_set(keys):
        yield Fault(f"{path}.jwks", rule.span, "is no JSON Web Key Set")
    timeout = text(rule.get("timeout"))
    if timeout is not None and not (milliseconds(timeout) or 0) >= 1:
        yield Fault(f"{path}.timeout", rule.span, f"is `{timeout}`, which is no duration of at least `1ms`")
    for header in mappings(rule.get("outputClaimToHeaders")):
        name = text(header.get("header")) or ""
        if not _HEADER.fullmatch(name):
            yield Fault(f"{path}.outputClaimToHeaders", header.span, f"has `{name}`, which is no name of a header")


def _is_key_set(keys: str) -> bool:
    try:
        found = json.loads(keys)
    except ValueError:
        return False
    return isinstance(found, dict)
