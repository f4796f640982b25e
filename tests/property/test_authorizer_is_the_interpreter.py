"""What the authorizer answers to an Envoy is what the interpreter says of the request, or a refusal that says why."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from random import Random
from typing import Any

from tests.strategies.meshes import DAY, SMALL, random_mesh
from tests.strategies.requests import COMPLETE, random_request
from tests.strategies.worlds import IS_FULL

from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.compiler.ir.decision import Reason
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import Header, attributes_of
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import MalformedRequest, decide
from meshproof.runtime.bundle import Loaded, load_bundle
from meshproof.runtime.core.http1 import HeadLimits, RequestReader
from meshproof.runtime.extauthz.answer import Answer
from meshproof.runtime.extauthz.authorizer import Authorizer
from meshproof.runtime.extauthz.check import CONTEXT, Question
from meshproof.runtime.extauthz.check_messages import CheckRequest
from meshproof.runtime.extauthz.destinations import Destination, DestinationError, headers_read

POLICIES = 2_000 if IS_FULL else 120
REQUESTS = 30
KNOWN = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
NO_DECISION = {"caller", "ambiguous", "undecided"}
HAS_RE2 = find_spec("re2") is not None


def _places(loaded: Loaded) -> dict[tuple[str, int], frozenset[str]]:
    """Every port where the authorizer can stand, and what rules read there."""
    mesh = loaded.bundle.mesh
    found = {}
    read = (attribute for rule in mesh.rules for attribute in attributes_of(rule.content))
    everything = tuple({attribute.name for attribute in read if isinstance(attribute, Header)})
    for service in mesh.services:
        for port in service.ports:
            if port.layer is Layer.HTTP:
                place = Destination("/x", str(service.name), port.workload, everything)
                try:
                    found[str(service.name), port.workload] = headers_read(mesh, place, verifies_tokens=False)
                except DestinationError:
                    continue
    return found


def _asked(authorizer: Authorizer, request: Request) -> Answer | None:
    """What an Envoy is answered that forwards this request; None where the message itself is refused."""
    lines = [f"{request.method} /asked{request.path} HTTP/1.1", f"host: {request.host}"]
    if request.source.identity is not None:
        lines.append(f"x-forwarded-client-cert: Hash=0a;URI={request.source.identity}")
    lines += [f"{name}: {value}" for name, value in request.headers]
    data = "\r\n".join([*lines, "", ""]).encode("utf-8")
    heads, fault = RequestReader(HeadLimits()).feed(data)
    if fault is not None or len(heads) != 1:
        return None
    return authorizer.answer(heads[0], DAY)


def _asked_over_grpc(authorizer: Authorizer, request: Request) -> Answer:
    """The same over gRPC, with header lines as they are."""
    check: Any = CheckRequest()
    attributes = check.attributes
    attributes.source.principal = request.source.identity or ""
    attributes.context_extensions[CONTEXT] = "/asked"
    http = attributes.request.http
    http.method, http.path, http.host = request.method, request.path, request.host
    for name, value in (("x-request-id", "1"), *request.headers):
        http.header_map.headers.add(key=name, raw_value=value.encode("utf-8"))
    return authorizer.check(Question(check.SerializeToString()), lambda _: (), DAY)


def _compare(mesh: Mesh, answer: Answer, request: Request, counts: Counter[str]) -> None:
    if answer.reason in NO_DECISION:
        assert answer.status == 403
        counts[answer.reason] += 1
        return
    try:
        says = decide(mesh, request, DAY)
    except MalformedRequest:  # an identity where mTLS is disabled: there is no such request
        assert answer.decision != "allow"
        counts["malformed"] += 1
        return
    assert (answer.status == 200) is says.is_allowed, (mesh, request, answer, says)
    assert (answer.reason, answer.rules) == (says.reason, says.determined_by), (mesh, request)
    assert (answer.decision == "observe") is says.is_observed
    counts["allowed" if says.is_allowed else "refused"] += 1
    counts[f"by {says.reason}"] += 1


def test_it_answers_what_the_interpreter_says() -> None:
    counts: Counter[str] = Counter()
    over_grpc: Counter[str] = Counter()
    for seed in range(POLICIES):
        rng = Random(seed)  # noqa: S311  reproducible on purpose
        mesh = random_mesh(rng, SMALL)
        data = dump(Bundle("", "", enforced(mesh)))
        if not HAS_RE2 and b'"kind":"regex"' in data:
            continue
        loaded = load_bundle(data)
        for (name, port), read in _places(loaded).items():
            place = Destination("/asked", name, port, tuple(read), takes_plaintext=True)
            authorizer = Authorizer(loaded, (place,))
            node = next(one for one in mesh.services if str(one.name) == name)
            for _ in range(REQUESTS):
                drawn = random_request(rng, mesh, COMPLETE)
                request = replace(
                    drawn,
                    source=Peer(drawn.source.identity, drawn.source.ip or "10.0.0.1"),
                    destination=node.name,
                    port=port,
                    protocol=RequestProtocol.HTTP,
                    method=drawn.method if drawn.method in KNOWN else "GET",
                    path=drawn.path or "/",
                    host=drawn.host or "shop",
                    sni=None,
                    token=None,
                    answers=(),
                    day=None,
                )
                _compare(mesh, _asked_over_grpc(authorizer, request), request, over_grpc)
                answer = _asked(authorizer, request)
                if answer is None or answer.reason == "destination":
                    counts["no request"] += 1
                else:
                    _compare(mesh, answer, request, counts)
    assert over_grpc["allowed"] >= counts["allowed"] > 2 * POLICIES
    assert counts["refused"] > 10 * POLICIES
    assert counts[f"by {Reason.RULE}"] > POLICIES
