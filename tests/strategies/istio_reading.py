"""What emitted Istio files let through: a plain reading of Istio's rules, written from its documents and code.

Only what is emitted is read: AuthorizationPolicy, PeerAuthentication and RequestAuthentication of sidecars and classic
gateways. Paths are normal ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

import yaml

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Request, RequestProtocol

Doc = Mapping[str, Any]
_PCHAR = r"[a-zA-Z0-9\-._~%!$&'()*+,;:@=]"
_HTTP_FIELDS = ("hosts", "notHosts", "methods", "notMethods", "paths", "notPaths")


def read(artifacts: Iterable[Artifact]) -> list[Doc]:
    """The objects in the files."""
    return [doc for one in artifacts if one.path.startswith("manifests/") for doc in yaml.safe_load_all(one.content)]


@dataclass(frozen=True)
class Seen:
    """A request as the proxy sees it."""

    principal: str
    source_ip: str
    remote_ip: str
    port: int
    is_tcp: bool
    method: str = ""
    path: str = ""
    authority: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    sni: str = ""
    claims: ClaimObject | None = None


@dataclass(frozen=True)
class Reading:
    """The objects that count for one workload."""

    mesh: Mesh
    docs: list[Doc]
    namespace: str
    labels: Mapping[str, str]
    is_gateway: bool = False
    root: str = "istio-system"

    def of_kind(self, kind: str) -> list[Doc]:
        return [
            doc
            for doc in self.docs
            if doc["kind"] == kind
            and doc["metadata"]["namespace"] in {self.namespace, self.root}
            and doc["spec"].get("selector", {}).get("matchLabels", {}).items() <= self.labels.items()
        ]

    def mode(self, port: int) -> str:
        """The merged mTLS mode; a gateway's servers have their own TLS."""
        found = "PERMISSIVE"
        if self.is_gateway:
            return found
        own = [doc for doc in self.of_kind("PeerAuthentication") if doc["metadata"]["namespace"] == self.namespace]
        for doc in sorted(own, key=lambda one: "selector" in one["spec"]):
            found = doc["spec"]["mtls"]["mode"]
            found = doc["spec"].get("portLevelMtls", {}).get(str(port), {}).get("mode", found)
        return found

    def is_allowed(self, seen: Seen, answers: Mapping[str, bool]) -> bool:
        policies = [
            doc
            for doc in self.of_kind("AuthorizationPolicy")
            if doc["metadata"]["annotations"].get("istio.io/dry-run") != "true"
        ]
        by_action = {name: [one["spec"] for one in policies if one["spec"]["action"] == name] for name in _ACTIONS}
        for spec in by_action["CUSTOM"]:
            if self._any(spec, seen, is_allow=False) and not answers[spec["provider"]["name"]]:
                return False
        if any(self._any(spec, seen, is_allow=False) for spec in by_action["DENY"]):
            return False
        allows = by_action["ALLOW"]
        return not allows or any(self._any(spec, seen, is_allow=True) for spec in allows)

    def _any(self, spec: Doc, seen: Seen, *, is_allow: bool) -> bool:
        return any(self._rule(rule, seen, is_allow=is_allow) for rule in spec.get("rules", []))

    def _rule(self, rule: Doc, seen: Seen, *, is_allow: bool) -> bool:
        operations = [one["operation"] for one in rule.get("to", [])]
        conditions = rule.get("when", [])
        if seen.is_tcp:
            is_http = any(set(one) & set(_HTTP_FIELDS) for one in operations) or any(map(_is_http, conditions))
            if is_http and is_allow:
                return False
            operations = [{key: value for key, value in one.items() if "orts" in key} for one in operations]
            conditions = [one for one in conditions if not _is_http(one)]
        sources = [one["source"] for one in rule.get("from", [])]
        return (
            (not sources or any(self._source(one, seen) for one in sources))
            and (not operations or any(_operation(one, seen) for one in operations))
            and all(_condition(one, seen) for one in conditions)
        )

    def _source(self, source: Doc, seen: Seen) -> bool:
        assert set(source) <= {"principals", "notPrincipals"}
        return _lists(source, "principals", "notPrincipals", lambda value: self._principal(value, seen.principal))

    def _principal(self, value: str, principal: str) -> bool:
        parts = value.split("/")
        bundle = (self.mesh.trust_domain, *self.mesh.aliases)
        if len(parts) == 5 and parts[0] in (*bundle, "cluster.local"):
            return any(_text("/".join((domain, *parts[1:])), principal) for domain in bundle)
        return _text(value, principal)


_ACTIONS = ("ALLOW", "DENY", "CUSTOM")


def _is_http(condition: Doc) -> bool:
    return str(condition["key"]).startswith("request.")


def _lists(block: Doc, positive: str, negative: str, matches: Callable[[str], bool]) -> bool:
    is_in = positive not in block or any(matches(value) for value in block[positive])
    return bool(is_in and not any(matches(value) for value in block.get(negative, [])))


def _text(pattern: str, value: str) -> bool:
    if pattern == "*":
        return bool(value)
    if pattern.startswith("*"):
        return value.endswith(pattern[1:])
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


def _operation(block: Doc, seen: Seen) -> bool:
    return (
        _lists(block, "methods", "notMethods", lambda value: _text(value, seen.method))
        and _lists(block, "hosts", "notHosts", lambda value: _text(value.lower(), seen.authority.lower()))
        and _lists(block, "paths", "notPaths", lambda value: _path(value, seen.path))
        and _lists(block, "ports", "notPorts", lambda value: int(value) == seen.port)
    )


def _path(pattern: str, path: str) -> bool:
    path = re.sub(r'["<>^`{|}]', lambda one: f"%{ord(one[0]):02X}", path)
    if "{*}" not in pattern and "{**}" not in pattern:
        return _text(pattern, path)
    written = re.escape(pattern).replace(r"\{\*\}", f"{_PCHAR}+").replace(r"\{\*\*\}", f"(?:{_PCHAR}|/)*")
    return re.fullmatch(written, path) is not None


def _condition(block: Doc, seen: Seen) -> bool:
    key = str(block["key"])
    if key in {"source.ip", "remote.ip"}:
        address = ip_address(seen.source_ip if key == "source.ip" else seen.remote_ip)
        return _lists(block, "values", "notValues", lambda value: address in ip_network(value))
    if key == "connection.sni":
        return _lists(block, "values", "notValues", lambda value: _text(value, seen.sni) and bool(seen.sni))
    if match := re.fullmatch(r"request\.headers\[(.*)\]", key):
        lines = [value for name, value in seen.headers if name == match[1]]
        return _lists(block, "values", "notValues", lambda value: any(_header(value, line) for line in lines))
    strings = _strings(seen.claims, _claim_path(key))
    return _lists(block, "values", "notValues", lambda value: any(_text(value, one) for one in strings))


def _header(pattern: str, line: str) -> bool:
    return True if pattern == "*" else _text(pattern, line)


def _claim_path(key: str) -> list[str]:
    named = {"request.auth.audiences": ["aud"], "request.auth.presenter": ["azp"]}
    return named.get(key) or re.findall(r"\[([^\]]*)\]", key.removeprefix("request.auth.claims"))


def _strings(claims: ClaimObject | None, path: list[str]) -> list[str]:
    value: ClaimValue = claims
    for name in path:
        value = dict(value.members).get(name) if isinstance(value, ClaimObject) else None
    if isinstance(value, str):
        return value.split() if path in (["scope"], ["permission"]) else [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, tuple) else []


def seen_by(reading: Reading, request: Request, path: str, *, is_from_gateway: bool) -> Seen | None:
    """The request at the proxy of its destination, None if the connection or its token is refused."""
    identity = request.source.identity
    trusted = (reading.mesh.trust_domain, *reading.mesh.aliases, *reading.mesh.trusts)
    if identity is None and reading.mode(request.port) == "STRICT":
        return None
    principal = (identity or "").removeprefix("spiffe://")
    if identity is not None and principal.split("/")[0] not in trusted:
        return None
    claims = None
    rules = [rule for doc in reading.of_kind("RequestAuthentication") for rule in doc["spec"]["jwtRules"]]
    names = {name for name, _ in request.headers}
    is_preflight = request.method == "OPTIONS" and {"origin", "access-control-request-method"} <= names
    if rules and request.token is not None and not is_preflight:
        claims = request.token.claims
        if not request.token.is_valid or not any(_verifies(rule, claims) for rule in rules):
            return None
    own_ip = request.source.ip or "192.0.2.1"
    return Seen(
        principal=principal,
        source_ip=own_ip,
        remote_ip=(request.client_ip or own_ip) if is_from_gateway else own_ip,
        port=request.port,
        is_tcp=request.protocol is RequestProtocol.TCP,
        method=request.method or "",
        path=path,
        authority=request.host or "",
        headers=tuple((name.lower(), value) for name, value in request.headers),
        sni=request.sni or "",
        claims=claims,
    )


def _verifies(rule: Doc, claims: ClaimObject) -> bool:
    wanted, given = rule.get("audiences", []), _strings(claims, ["aud"])
    return _strings(claims, ["iss"]) == [rule["issuer"]] and (not wanted or not given or bool({*wanted} & {*given}))
