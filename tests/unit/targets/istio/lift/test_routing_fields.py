"""All fields of routing are accounted for, and what is not modelled is said with its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.strategies.istio_lifting import read
from tests.strategies.istio_routes import SHOP, an_object, virtual_service

from meshproof.compiler.backend.artifact import Artifact
from meshproof.targets.common.tree import Entry, Leaf, ListNode, MapNode
from meshproof.targets.istio.lift.field_accounts import FIELDS
from meshproof.targets.istio.lift.fields import FieldPatterns
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.reading import IstioReading, read_istio
from meshproof.targets.istio.lift.structure import Schema, schema_of
from meshproof.targets.istio.lift.values import EMPTY

ROUTING = (Kind.VIRTUAL_SERVICE, Kind.DESTINATION_RULE, Kind.SERVICE_ENTRY, Kind.GATEWAY, Kind.SIDECAR)
GATEWAY_API = (
    Kind.KUBE_GATEWAY,
    Kind.HTTP_ROUTE,
    Kind.GRPC_ROUTE,
    Kind.TLS_ROUTE,
    Kind.TCP_ROUTE,
    Kind.REFERENCE_GRANT,
)


def _examples(schema: Schema) -> Iterator[Leaf | ListNode | MapNode]:
    """A value of each shape that the schema has, one field at a time."""
    properties, items, rest = schema.get("properties"), schema.get("items"), schema.get("additionalProperties")
    if isinstance(properties, dict):
        for name, inner in properties.items():
            for value in _examples(inner):
                yield MapNode((Entry(name, EMPTY.span, value),), EMPTY.span)
    elif isinstance(items, dict):
        for value in _examples(items):
            yield ListNode((value,), EMPTY.span)
    elif isinstance(rest, dict):
        for value in _examples(rest):
            yield MapNode((Entry("key", EMPTY.span, value),), EMPTY.span)
    else:
        yield Leaf("x", "x", EMPTY.span)


@pytest.mark.parametrize("kind", ROUTING)
def test_every_field_of_the_definition_is_in_the_table(kind: Kind) -> None:
    schema = schema_of(kind)
    assert schema is not None
    patterns = FieldPatterns(FIELDS[kind])
    found = [use for example in _examples(schema) if isinstance(example, MapNode) for use in patterns.uses_in(example)]
    assert len(found) > 15
    assert [use.path for use in found if use.status is None] == []


def routed(written: str) -> str:
    return virtual_service(f"hosts: [api]\nhttp: [{{{written}, route: [{{destination: {{host: old}}}}]}}]")


NOT_MODELLED = [
    (routed("rewrite: {uriRegexRewrite: {match: a, rewrite: b}}"),
     "a route depends on shop/routes[0] rewrite.uriRegexRewrite, which is not modelled"),
    (routed("match: [{headers: {method: {exact: GET}}}]"),
     "a route depends on match.headers[method], which is not modelled"),
    (routed("match: [{uri: {regex: '/(a)\\b'}}]"),
     "a route depends on the expression `/(a)\\b`, which is not modelled"),
    (routed("mirror: {host: api}"),
     "a route depends on shop/routes[0] mirror to several workloads, which is not modelled"),
    (an_object("Sidecar", "s", "egress: [{bind: 10.0.0.1, hosts: ['./*']}]"),
     "`spec.egress[0].bind` of Sidecar `shop/s` is not modelled"),
    (an_object("DestinationRule", "d", "host: api\ntrafficPolicy: {tunnel: {targetHost: x, targetPort: 1}}"),
     "`spec.trafficPolicy.tunnel.targetHost` of DestinationRule `shop/d` is not modelled"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), NOT_MODELLED)
def test_what_is_not_modelled_is_said(text: str, message: str) -> None:
    found = [one for one in read(SHOP + text).diagnostics if one.code == "MP713"]
    assert message in [one.message for one in found]
    assert all(one.primary is not None and one.primary.end > one.primary.start for one in found)


def _applications(corpus: Path) -> Iterator[tuple[str, IstioReading]]:
    for folder in sorted(path for path in corpus.iterdir() if path.is_dir()):
        files = sorted(path for path in folder.rglob("*") if path.suffix in {".yaml", ".yml"})
        yield folder.name, read_istio(tuple(Artifact(str(path), path.read_bytes()) for path in files))


@pytest.mark.corpus
def test_every_application_lifts_its_routing(corpus: Path) -> None:
    routes = 0
    for name, found in _applications(corpus):
        assert found.mesh is not None, name
        kinds = {*ROUTING, *GATEWAY_API}
        unknown = [gap.path for gap in found.accounts.gaps if gap.kind in kinds and gap.is_unknown]
        said = " ".join(one.message for one in found.diagnostics if one.code == "MP711")
        assert [path for path in unknown if path.rpartition(".")[0] not in said and path not in said] == [], name
        nodes = {node.name for node in found.mesh.nodes}
        targets = {target.node for route in found.mesh.routes for branch in route.branches for target in branch.targets}
        assert targets <= nodes, name
        assert {route.node for route in found.mesh.routes} <= nodes, name
        ids = [branch.id for route in found.mesh.routes for branch in route.branches]
        assert len(set(ids)) == len(ids), name
        routes += len(found.mesh.routes)
    assert routes > 50
