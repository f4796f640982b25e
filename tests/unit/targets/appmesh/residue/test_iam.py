"""Each workload may load its own configuration and no other's."""

from __future__ import annotations

import pytest

from meshproof.targets.appmesh.model.mesh import Mesh
from meshproof.targets.appmesh.model.shared import PortMapping
from meshproof.targets.appmesh.model.virtual_gateway import (
    VirtualGateway,
    VirtualGatewayListener,
    VirtualGatewayPortMapping,
    VirtualGatewaySpec,
)
from meshproof.targets.appmesh.model.virtual_node import Listener, VirtualNode, VirtualNodeSpec
from meshproof.targets.appmesh.residue.iam import ACTION, Scope, grants
from meshproof.targets.appmesh.values import Value

PLACE = Scope("aws", "eu-central-1", "111122223333")


def _node(name: str, owner: str | None = None) -> VirtualNode:
    spec = VirtualNodeSpec(listeners=(Listener(port_mapping=PortMapping(port=80, protocol="http")),))
    return VirtualNode(mesh_name="shop", virtual_node_name=name, spec=spec, mesh_owner=owner)


def _gateway(name: str) -> VirtualGateway:
    listener = VirtualGatewayListener(port_mapping=VirtualGatewayPortMapping(port=80, protocol="http"))
    spec = VirtualGatewaySpec(listeners=(listener,))
    return VirtualGateway(mesh_name="shop", virtual_gateway_name=name, spec=spec)


def test_one_statement_on_exactly_its_own_arn() -> None:
    given: tuple[Value, ...] = (_node("web"), Mesh(mesh_name="shop"), _gateway("gate"), _node("cart"))
    found = grants(given, PLACE)
    assert [(one.kind, one.name) for one in found] == [
        ("virtualGateway", "gate"),
        ("virtualNode", "cart"),
        ("virtualNode", "web"),
    ]
    for one in found:
        arn = f"arn:aws:appmesh:eu-central-1:111122223333:mesh/shop/{one.kind}/{one.name}"
        statement = {"Effect": "Allow", "Action": ACTION, "Resource": arn}
        assert one.document == {"Version": "2012-10-17", "Statement": [statement]}


def test_the_stack_fills_in_what_is_not_given() -> None:
    (found,) = grants((_node("web"),), Scope(region="eu-central-1"))
    arn = "arn:${AWS::Partition}:appmesh:eu-central-1:${AWS::AccountId}:mesh/shop/virtualNode/web"
    statement = {"Effect": "Allow", "Action": ACTION, "Resource": {"Fn::Sub": arn}}
    assert found.document["Statement"] == [statement]


@pytest.mark.parametrize("name", ["*", "we?", "a/b", "${aws:username}", "web\n"])
def test_no_wildcard_gets_into_an_arn(name: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in an ARN"):
        grants((_node(name),), PLACE)


@pytest.mark.parametrize("given", [{"partition": "*"}, {"region": "*"}, {"account": "*"}, {"account": "1"}])
def test_a_scope_is_one_place(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="of AWS"):
        Scope(**given)


def test_a_shared_mesh_is_refused() -> None:
    with pytest.raises(ValueError, match="444455556666"):
        grants((_node("web", "444455556666"),), PLACE)
