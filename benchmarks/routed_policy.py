"""A policy of services in namespaces of ten, each called by a few, with routes for some: what is emitted as many files.

The same for the same number. Every third service has two versions and a route between them, and every service lets in
two callers by two rules; every seventh is called by a namespace besides.
"""

from __future__ import annotations

from collections.abc import Iterator

_IN_NAMESPACE = 10


def policy_text(services: int) -> str:
    """The text of one file."""
    return "\n".join((*_head(services), *(line for number in range(services) for line in _service(number, services))))


def _head(services: int) -> Iterator[str]:
    yield "mesh bench {"
    yield "    language 1"
    yield '    trust-domain "cluster.local"'
    yield "    namespace n0"
    yield "    mtls strict"
    yield "}"
    for number in range(-(-services // _IN_NAMESPACE)):
        yield f'namespace n{number} {{ owner "team-{number}" }}'


def _service(number: int, services: int) -> Iterator[str]:
    is_routed = number % 3 == 0
    versions = " versions v1, v2" if is_routed else ""
    yield f"service s{number} {{ namespace n{number // _IN_NAMESPACE} port http 8080{versions} }}"
    near, far = (number + 1) % services, (number * 7 + 3) % services
    yield f"allow near{number}: s{near} -> s{number}:http {{ GET /api/v1/orders/**  POST /api/v1/orders }}"
    yield f"allow far{number}: s{far} -> s{number}:http {{ GET /api/v1/items/{{id}} }}"
    if number % 7 == 0:
        yield f"allow wide{number}: namespace n{far // _IN_NAMESPACE} -> s{number}:http {{ GET /status }}"
    if is_routed:
        yield f"route s{number}:http {{"
        yield '    when header["x-canary"] == "true" => v2'
        yield "    otherwise => v1 90%, v2 10%"
        yield "    timeout 2s"
        yield "    retry 2 on unavailable, reset within 500ms"
        yield "}"
