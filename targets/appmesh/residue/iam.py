"""Who may load the configuration of a node: one IAM policy document per workload.

The control plane hands the configuration of any node to any proxy that may call `StreamAggregatedResources` on it, so
a role without a bound resource can pose as every workload (App Mesh user guide, "Envoy Proxy authorization").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.values import Value

ACTION = "appmesh:StreamAggregatedResources"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_PLACES = {
    "partition": re.compile(r"aws(-[a-z]+)*"),
    "region": re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]+"),
    "account": re.compile(r"[0-9]{12}"),
}
_PSEUDO = {"partition": "${AWS::Partition}", "region": "${AWS::Region}", "account": "${AWS::AccountId}"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where the mesh is. What is None is that of the stack: only CloudFormation can fill it in.

    Raises ValueError for what cannot be a partition, a region or an account, so that no wildcard gets into an ARN.
    """

    partition: str | None = None
    region: str | None = None
    account: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no single place."""
        for name, form in _PLACES.items():
            given = getattr(self, name)
            if given is not None and not form.fullmatch(given):
                raise ValueError(f"{given!r} is no {name} of AWS")


@dataclass(frozen=True, slots=True)
class Grant:
    """The node or gateway `name` of a mesh, and the policy document for the role that its proxies run under."""

    kind: str
    mesh: str
    name: str
    document: dict[str, object]


def grants(resources: Iterable[Value], scope: Scope) -> tuple[Grant, ...]:
    """One grant for each virtual node and virtual gateway, in the order of their kinds and names.

    Each allows the one action on the one ARN and nothing else. Raises ValueError for a name in which IAM would read a
    wildcard or a variable, and for a resource in a mesh that another account shares: its ARN is not known here.
    """
    found = [_grant(one, scope) for one in resources if isinstance(one, VirtualNode | VirtualGateway)]
    return tuple(sorted(found, key=lambda one: (one.kind, one.mesh, one.name)))


def _grant(one: VirtualNode | VirtualGateway, scope: Scope) -> Grant:
    if isinstance(one, VirtualNode):
        kind, name = "virtualNode", one.virtual_node_name
    else:
        kind, name = "virtualGateway", one.virtual_gateway_name
    for each in (one.mesh_name, name):
        if not _NAME.fullmatch(each):
            raise ValueError(f"{each!r} cannot stand in an ARN: names hold letters, digits, hyphens and underscores")
    if one.mesh_owner is not None:
        raise ValueError(f"{name!r} is in a mesh that {one.mesh_owner} shares: bind its proxies in that account")
    statement = {"Effect": "Allow", "Action": ACTION, "Resource": _resource(one.mesh_name, kind, name, scope)}
    return Grant(kind, one.mesh_name, name, {"Version": "2012-10-17", "Statement": [statement]})


def _resource(mesh: str, kind: str, name: str, scope: Scope) -> object:
    """The ARN: text if all of the scope is known, else for CloudFormation to fill in."""
    given = {place: getattr(scope, place) or pseudo for place, pseudo in _PSEUDO.items()}
    arn = f"arn:{given['partition']}:appmesh:{given['region']}:{given['account']}:mesh/{mesh}/{kind}/{name}"
    return {"Fn::Sub": arn} if "${" in arn else arn
