"""Mistakes that a compiler for App Mesh can make, wherever one can be made: at listeners, clients, routes and names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.strategies.app_mesh_mutation import Change, Operator, Resource, Tree

Json = Any
THIEF = "spiffe://td/ns/app/sa/thief"
NOBODY = "nobody.invalid"
_OTHER_METHODS = {"GET": "PUT"}
_ROUTES = ("httpRoute", "http2Route", "grpcRoute", "tcpRoute")


def _set(holder: dict[str, Json], key: str, value: Json) -> Change:
    return lambda: holder.__setitem__(key, value)


def _cut(holder: dict[str, Json], key: str) -> Change:
    return lambda: holder.__delitem__(key)


def _took_out(items: list[Json], item: Json) -> Change:
    return lambda: items.remove(item)


def _renamed(names: list[str], name: str) -> Change:
    """Somebody else in the place of a name."""
    return lambda: names.__setitem__(names.index(name), NOBODY)


def _added(items: list[Json], item: Json) -> Change:
    return lambda: items.append(item)


def _gone(resource: Resource) -> Change:
    return lambda: setattr(resource, "is_gone", True)


# --- listeners: whom a proxy takes in ---


def _listeners(resource: Resource) -> Iterator[tuple[str, dict[str, Json]]]:
    if resource.kind in {"VirtualNode", "VirtualGateway"}:
        for listener in resource.spec.get("listeners", ()):
            yield f":{listener['portMapping']['port']}", listener


def _validations(resource: Resource) -> Iterator[tuple[str, dict[str, Json]]]:
    for place, listener in _listeners(resource):
        if "validation" in listener.get("tls", {}):
            yield place, listener["tls"]["validation"]


def _names(validation: dict[str, Json]) -> list[str]:
    found: list[str] = validation.get("subjectAlternativeNames", {}).get("match", {}).get("exact", [])
    return found


def name_added(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, validation in _validations(resource):
        if _names(validation):
            yield place, _added(_names(validation), THIEF)


def another_workload_added(tree: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    every = dict.fromkeys(name for one in tree for _, validation in _validations(one) for name in _names(validation))
    for place, validation in _validations(resource):
        names = _names(validation)
        for other in (one for one in every if names and one not in names and one.startswith("spiffe://")):
            yield f"{place} {other}", _added(names, other)


def name_removed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, validation in _validations(resource):
        for name in _names(validation):
            if name != NOBODY:
                yield f"{place} {name}", _renamed(_names(validation), name)


def names_dropped(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, validation in _validations(resource):
        if "subjectAlternativeNames" in validation:
            yield place, _cut(validation, "subjectAlternativeNames")


def validation_dropped(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, listener in _listeners(resource):
        if "validation" in listener.get("tls", {}):
            yield place, _cut(listener["tls"], "validation")


def plaintext_too(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, listener in _listeners(resource):
        if listener.get("tls", {}).get("mode") == "STRICT":
            yield place, _set(listener["tls"], "mode", "PERMISSIVE")


def tls_disabled(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, listener in _listeners(resource):
        if "tls" in listener:
            yield place, _set(listener["tls"], "mode", "DISABLED")


def tls_dropped(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, listener in _listeners(resource):
        if "tls" in listener:
            yield place, _cut(listener, "tls")


def plaintext_refused(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, listener in _listeners(resource):
        if listener.get("tls", {}).get("mode") == "PERMISSIVE":
            yield place, _set(listener["tls"], "mode", "STRICT")


def authority_changed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, validation in _validations(resource):
        yield place, _set(validation["trust"]["sds"], "secretName", "spiffe://other.example")


def certificate_changed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, listener in _listeners(resource):
        if "tls" in listener:
            yield place, _set(listener["tls"]["certificate"]["sds"], "secretName", THIEF)


def listener_dropped(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, listener in _listeners(resource):
        yield place, _took_out(resource.spec["listeners"], listener)


def port_changed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, listener in _listeners(resource):
        yield place, _set(listener["portMapping"], "port", listener["portMapping"]["port"] + 1)


def doors_merged(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    """Whoever comes in at the door before comes in at this one too."""
    doors = [(place, _names(validation)) for place, validation in _validations(resource)]
    if resource.kind == "VirtualGateway":
        for (_place, before), (place, names) in pairwise(doors):
            yield place, _extended(names, before)


def _extended(names: list[str], more: list[str]) -> Change:
    return lambda: names.extend(one for one in more if one not in names)


def limit_of_listener_changed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, listener in _listeners(resource):
        for part in listener.get("timeout", {}).values():
            yield place, _set(part, "perRequest", {"unit": "s", "value": 7})


def bounds_changed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, listener in _listeners(resource):
        for part in listener.get("connectionPool", {}).values():
            for key in part:
                yield f"{place} {key}", _set(part, key, part[key] + 1)
        if "connectionPool" in listener:
            yield f"{place} none", _cut(listener, "connectionPool")


def ejection_changed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, listener in _listeners(resource):
        if "outlierDetection" in listener:
            yield f"{place} errors", _set(listener["outlierDetection"], "maxServerErrors", 99)
            yield f"{place} share", _set(listener["outlierDetection"], "maxEjectionPercent", 1)
            yield f"{place} none", _cut(listener, "outlierDetection")


# --- clients: whom a proxy takes for the one that it calls, and whom it calls ---


def _backends(resource: Resource) -> Iterator[tuple[str, dict[str, Json]]]:
    if resource.kind == "VirtualNode":
        for backend in resource.spec.get("backends", ()):
            yield f" -> {backend['virtualService']['virtualServiceName']}", backend["virtualService"]


def _clients(resource: Resource) -> Iterator[tuple[str, dict[str, Json]]]:
    """The client policies that are for backends: of a node those of its own, of a gateway its defaults."""
    for place, called in _backends(resource):
        if "tls" in called.get("clientPolicy", {}):
            yield place, called["clientPolicy"]["tls"]
    if resource.kind == "VirtualGateway":
        yield " -> all", resource.spec["backendDefaults"]["clientPolicy"]["tls"]


def client_takes_another(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, tls in _clients(resource):
        if _names(tls["validation"]):
            yield place, _added(_names(tls["validation"]), THIEF)


def client_takes_anybody(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, tls in _clients(resource):
        if "subjectAlternativeNames" in tls["validation"]:
            yield place, _cut(tls["validation"], "subjectAlternativeNames")


def client_takes_not(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, tls in _clients(resource):
        for name in _names(tls["validation"]):
            yield f"{place} {name}", _renamed(_names(tls["validation"]), name)


def client_trusts_another(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, tls in _clients(resource):
        yield place, _set(tls["validation"]["trust"]["sds"], "secretName", "spiffe://other.example")


def client_may_speak_plainly(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, tls in _clients(resource):
        yield place, _set(tls, "enforce", False)


def client_shows_nothing(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, tls in _clients(resource):
        yield place, _cut(tls, "certificate")


def client_shows_another(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, tls in _clients(resource):
        yield place, _set(tls["certificate"]["sds"], "secretName", THIEF)


def client_policy_dropped(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, called in _backends(resource):
        if "clientPolicy" in called:
            yield place, _cut(called, "clientPolicy")
    if resource.kind == "VirtualGateway":
        yield " -> all", _cut(resource.spec, "backendDefaults")


def backend_dropped(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind == "VirtualNode":
        for backend in resource.spec.get("backends", ()):
            place = f" -> {backend['virtualService']['virtualServiceName']}"
            yield place, _took_out(resource.spec["backends"], backend)


def backend_added(tree: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind != "VirtualNode":
        return
    called = {place for place, _backend in _backends(resource)}
    for name in (one.name for one in tree if one.kind == "VirtualService" and "provider" in one.spec):
        if f" -> {name}" not in called:
            yield f" -> {name}", _calling(resource, {"virtualService": {"virtualServiceName": name}})


def _calling(resource: Resource, backend: Json) -> Change:
    return lambda: resource.spec.setdefault("backends", []).append(backend)


def opened(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind == "Mesh":
        yield "", _set(resource.spec, "egressFilter", {"type": "ALLOW_ALL"})


# --- gateway routes and routes: what is let through, and where it goes ---


def _part(resource: Resource) -> dict[str, Json]:
    if resource.kind not in {"GatewayRoute", "Route"}:
        return {}
    return next((resource.spec[kind] for kind in _ROUTES if kind in resource.spec), {})


def _match(resource: Resource) -> dict[str, Json]:
    found: dict[str, Json] = _part(resource).get("match", {})
    return found


def _tests(resource: Resource) -> Iterator[tuple[str, str, list[Json], dict[str, Json]]]:
    for key in ("headers", "metadata", "queryParameters"):
        for number, test in enumerate(_match(resource).get(key, ())):
            yield f" {key}[{number}]", key, _match(resource)[key], test


def route_dropped(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind in {"GatewayRoute", "Route"}:
        yield "", _gone(resource)


def routes_swapped(tree: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    """The route with the next one of the same gateway and port, or of the same router and port."""
    owner = {"GatewayRoute": "virtualGatewayName", "Route": "virtualRouterName"}.get(resource.kind)
    if owner is None:
        return
    own = [one for one in tree if one.kind == resource.kind and one.given[owner] == resource.given[owner]]
    later = [one for one in own if one.spec["priority"] > resource.spec["priority"]]
    later = [one for one in later if _match(one).get("port") == _match(resource).get("port")]
    if later:
        other = min(later, key=lambda one: int(one.spec["priority"]))

        def swap() -> None:
            one, two = resource.spec["priority"], other.spec["priority"]
            resource.spec["priority"], other.spec["priority"] = two, one

        yield f" with {other.name}", swap


def method_dropped(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if "method" in _match(resource):
        yield "", _cut(_match(resource), "method")


def method_changed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if "method" in _match(resource):
        yield "", _set(_match(resource), "method", _OTHER_METHODS.get(_match(resource)["method"], "GET"))


def prefix_for_exact(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    match = _match(resource)
    if "exact" in match.get("path", {}):

        def change() -> None:
            match["prefix"] = match.pop("path")["exact"]
            if resource.kind == "GatewayRoute":
                _part(resource)["action"]["rewrite"]["prefix"] = {"defaultPrefix": "DISABLED"}

        yield "", change


def any_path(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if "path" in _match(resource):
        yield "", _set(_match(resource), "path", {"regex": "/.*"})


def another_path(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if "path" in _match(resource) or _match(resource).get("prefix") == "/":

        def change() -> None:
            _match(resource).pop("prefix", None)
            _match(resource)["path"] = {"exact": "/another"}

        yield "", change


def match_dropped(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, key, tests, test in _tests(resource):
        if len(tests) > 1:
            yield place, _took_out(tests, test)
        else:
            yield place, _cut(_match(resource), key)


def header_inverted(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, key, _tests_of, test in _tests(resource):
        if key != "queryParameters":
            yield place, _set(test, "invert", not test.get("invert", False))


def value_changed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, _key, _tests_of, test in _tests(resource):
        if "match" in test:
            (kind,) = test["match"]
            yield place, _set(test["match"], kind, "another")


def any_value(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, _key, _tests_of, test in _tests(resource):
        if "match" in test:
            yield place, _cut(test, "match")


def name_of_test_changed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for place, _key, _tests_of, test in _tests(resource):
        yield place, _set(test, "name", "another")


def path_rewritten(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind == "GatewayRoute":
        rewrite = _part(resource)["action"]["rewrite"]
        if "prefix" in _match(resource):
            yield " by default", _cut(rewrite, "prefix")
            yield "", _set(rewrite, "prefix", {"value": "/admin/"})
        else:
            yield "", _set(rewrite, "path", {"exact": "/admin"})


def host_rewritten(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind == "GatewayRoute":
        rewrite = _part(resource)["action"]["rewrite"]
        other = {"ENABLED": "DISABLED", "DISABLED": "ENABLED"}[rewrite["hostname"]["defaultTargetHostname"]]
        yield "", _set(rewrite["hostname"], "defaultTargetHostname", other)


def host_dropped(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if "hostname" in _match(resource):
        yield "", _cut(_match(resource), "hostname")
        yield " another", _set(_match(resource), "hostname", {"exact": "another.example"})


def route_at_another_port(tree: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind != "GatewayRoute":
        return
    (gateway,) = (
        one for one in tree if one.name == resource.given["virtualGatewayName"] and one.kind == "VirtualGateway"
    )
    for place, _listener in _listeners(gateway):
        number = int(place.removeprefix(":"))
        if number != _match(resource)["port"]:
            yield place, _set(_match(resource), "port", number)
    yield " any", _cut(_match(resource), "port")


def sent_to_another_service(tree: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind == "GatewayRoute":
        target = _part(resource)["action"]["target"]["virtualService"]
        for name in (one.name for one in tree if one.kind == "VirtualService"):
            if name != target["virtualServiceName"]:
                yield f" -> {name}", _set(target, "virtualServiceName", name)


def sent_to_another_port(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind == "GatewayRoute" and "port" in _part(resource)["action"]["target"]:
        target = _part(resource)["action"]["target"]
        yield "", _set(target, "port", target["port"] + 1)


def _shares(resource: Resource) -> list[dict[str, Json]]:
    found: list[dict[str, Json]] = _part(resource).get("action", {}).get("weightedTargets", [])
    return found


def share_changed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    shares = _shares(resource)
    for share in shares if len(shares) > 1 else ():
        yield f" {share['virtualNode']}", _set(share, "weight", 0 if share["weight"] else 50)


def share_of_another_node(tree: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for share in _shares(resource):
        for name in (one.name for one in tree if one.kind == "VirtualNode"):
            if name not in {one["virtualNode"] for one in _shares(resource)}:
                yield f" {share['virtualNode']} -> {name}", _set(share, "virtualNode", name)


def share_at_another_port(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    for share in _shares(resource):
        yield f" {share['virtualNode']}", _set(share, "port", share["port"] + 1)


def retries_changed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    part = _part(resource)
    if "retryPolicy" in part:
        more = {"maxRetries": 7, "perRetryTimeout": {"unit": "s", "value": 1}, "tcpRetryEvents": ["connection-error"]}
        yield "", _set(part, "retryPolicy", more)
        yield " by default", _cut(part, "retryPolicy")


def limit_changed(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    part = _part(resource)
    if "timeout" in part and "tcpRoute" not in resource.spec:
        yield "", _set(part["timeout"], "perRequest", {"unit": "s", "value": 9})
        yield " by default", _cut(part, "timeout")


# --- services, routers, names ---


def provider_dropped(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind == "VirtualService" and "provider" in resource.spec:
        yield "", _cut(resource.spec, "provider")


def provided_by_another(tree: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind == "VirtualService":
        own = resource.spec.get("provider", {}).get("virtualRouter", {}).get("virtualRouterName")
        for name in (one.name for one in tree if one.kind == "VirtualRouter" and one.name != own):
            provider = {"virtualRouter": {"virtualRouterName": name}}
            yield f" -> {name}", _set(resource.spec, "provider", provider)


def provided_by_a_node(tree: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    """Without a router: so without its routes."""
    if resource.kind == "VirtualService":
        for name in (one.name for one in tree if one.kind == "VirtualNode"):
            yield f" -> {name}", _set(resource.spec, "provider", {"virtualNode": {"virtualNodeName": name}})


def router_without_port(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind == "VirtualRouter":
        for listener in resource.spec["listeners"]:
            number = listener["portMapping"]["port"]
            yield f":{number}", _set(listener["portMapping"], "port", number + 1)


def found_elsewhere(tree: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind == "VirtualNode" and "serviceDiscovery" in resource.spec:
        dns = resource.spec["serviceDiscovery"]["dns"]
        yield "", _set(dns, "hostname", "another.example")
        others = (one.spec["serviceDiscovery"]["dns"]["hostname"] for one in tree if _is_found(one))
        for host in dict.fromkeys(others):
            if host != dns["hostname"]:
                yield f" at {host}", _set(dns, "hostname", host)


def _is_found(resource: Resource) -> bool:
    return resource.kind == "VirtualNode" and "serviceDiscovery" in resource.spec


def resource_dropped(_: Tree, resource: Resource) -> Iterator[tuple[str, Change]]:
    if resource.kind not in {"GatewayRoute", "Route"}:
        yield "", _gone(resource)


LISTENERS: tuple[Operator, ...] = (
    name_added,
    another_workload_added,
    name_removed,
    names_dropped,
    validation_dropped,
    plaintext_too,
    plaintext_refused,
    tls_disabled,
    tls_dropped,
    authority_changed,
    certificate_changed,
    listener_dropped,
    port_changed,
    doors_merged,
    limit_of_listener_changed,
    bounds_changed,
    ejection_changed,
)
CLIENTS: tuple[Operator, ...] = (
    client_takes_another,
    client_takes_anybody,
    client_takes_not,
    client_trusts_another,
    client_may_speak_plainly,
    client_shows_nothing,
    client_shows_another,
    client_policy_dropped,
    backend_dropped,
    backend_added,
    opened,
)
ROUTES: tuple[Operator, ...] = (
    route_dropped,
    routes_swapped,
    method_dropped,
    method_changed,
    prefix_for_exact,
    any_path,
    another_path,
    match_dropped,
    header_inverted,
    value_changed,
    any_value,
    name_of_test_changed,
    path_rewritten,
    host_rewritten,
    host_dropped,
    route_at_another_port,
    sent_to_another_service,
    sent_to_another_port,
    share_changed,
    share_of_another_node,
    share_at_another_port,
    retries_changed,
    limit_changed,
)
NAMES: tuple[Operator, ...] = (
    provider_dropped,
    provided_by_another,
    provided_by_a_node,
    router_without_port,
    found_elsewhere,
    resource_dropped,
)
OPERATORS = (*LISTENERS, *CLIENTS, *ROUTES, *NAMES)
