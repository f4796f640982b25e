"""Security groups: what the network of AWS keeps away from proxies where no Kubernetes does.

A group lets nothing in but what its rules say (Amazon VPC user guide, "Security groups"), at network interfaces that
have it: whatever has none of these is not closed. Rules stand beside the groups, since groups name each other in rings
(CloudFormation, `AWS::EC2::SecurityGroupIngress`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from meshproof.compiler.backend.residual import Residual
from meshproof.compiler.ir.json_text import Json
from meshproof.targets.appmesh.render.naming import logical_name
from meshproof.targets.appmesh.residue.workloads import Kind, Opening, Workload

GROUP = "AWS::EC2::SecurityGroup"
INGRESS = "AWS::EC2::SecurityGroupIngress"
VPC = "Vpc"
TCP = "tcp"
FROM_GROUP = "SourceSecurityGroupId"
ANYWHERE = (("CidrIp", "0.0.0.0/0"), ("CidrIpv6", "::/0"))
"""The fields of rules that take everybody, and their values."""

_RULES = 60
"""The default quota of inbound rules of a group, by IPv4 and by IPv6 (Amazon VPC user guide, "Amazon VPC quotas")."""

_PORTS = (
    "security groups alone close ports without a listener, 15001 and 9901 among them: each workload runs with its own "
    "group and no other"
)
_HOSTS = "a security group is of a network interface: workloads that share one, as on one host, are open to each other"
_FULL = "the default quota of rules of a security group is used up"


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """The group of a workload: at each port who may connect, by the names of their groups. None is everybody."""

    name: str
    subject: str
    ingress: tuple[tuple[int, str | None], ...]


def group_name(kind: Kind, name: str) -> str:
    """The name of a workload's group in the template."""
    return logical_name("SecurityGroup", kind, name)


def sources(opening: Opening, of_identity: Mapping[str, Collection[str]]) -> frozenset[str | None]:
    """The groups of whoever may come in. Of an identity that nobody declared no group is known: the listener judges."""
    if opening.callers is None or any(one not in of_identity for one in opening.callers):
        return frozenset((None,))
    return frozenset(name for one in opening.callers for name in of_identity[one])


def security_groups(workloads: Iterable[Workload]) -> tuple[SecurityGroup, ...]:
    """A group for each workload, sorted."""
    given = tuple(workloads)
    of_identity: dict[str, list[str]] = {}
    for one in given:
        of_identity.setdefault(one.identity, []).append(group_name(one.kind, one.name))
    found = (SecurityGroup(group_name(one.kind, one.name), one.name, _ingress(one, of_identity)) for one in given)
    return tuple(sorted(found, key=lambda one: one.name))


def template(groups: Collection[SecurityGroup], description: str) -> Json:
    """The groups as a template of CloudFormation, of which the parameter is the VPC that they are in."""
    resources: dict[str, Json] = {one.name: _group(one) for one in groups}
    for group in groups:
        resources |= dict(_rules(group))
    parameter: Json = {"Type": "AWS::EC2::VPC::Id", "Description": "Where the workloads run"}
    outputs: dict[str, Json] = {one.name: {"Description": one.subject, "Value": _id(one.name)} for one in groups}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description,
        "Parameters": {VPC: parameter},
        "Resources": resources,
        "Outputs": outputs,
    }


def group_residuals(groups: Collection[SecurityGroup]) -> Iterator[Residual]:
    """What is left to others where these close the network."""
    names = tuple(sorted({one.subject for one in groups}))
    counts = Counter({one.subject: len(one.ingress) for one in groups})
    full = tuple(f"{name}: {count} of {_RULES}" for name, count in sorted(counts.items()) if count >= _RULES)
    for code, text, concerned in (("R10", _FULL, full), ("R11", _PORTS, names), ("R11", _HOSTS, names)):
        if concerned:
            yield Residual(code, text, concerned)


def _ingress(one: Workload, of_identity: Mapping[str, Collection[str]]) -> tuple[tuple[int, str | None], ...]:
    found = {(opening.port, source) for opening in one.openings for source in sources(opening, of_identity)}
    return tuple(sorted(found, key=lambda rule: (rule[0], rule[1] or "")))


def _rules(group: SecurityGroup) -> Iterator[tuple[str, Json]]:
    for port, source in group.ingress:
        taken: dict[str, Json] = dict(ANYWHERE) if source is None else {FROM_GROUP: _id(source)}
        for field, value in taken.items():
            name = logical_name("Ingress", group.name, str(port), source or field)
            yield name, {"Type": INGRESS, "Properties": {**_port(group, port), field: value}}


def _port(group: SecurityGroup, port: int) -> dict[str, Json]:
    return {"GroupId": _id(group.name), "IpProtocol": TCP, "FromPort": port, "ToPort": port}


def _group(one: SecurityGroup) -> Json:
    return {
        "Type": GROUP,
        "Properties": {"GroupDescription": f"{one.name}: ports of its proxy alone", "VpcId": {"Ref": VPC}},
    }


def _id(group: str) -> Json:
    return {"Fn::GetAtt": [group, "GroupId"]}
