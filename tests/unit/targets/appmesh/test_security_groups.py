"""Security groups are read back: files that let in others, or keep callers out, are not proved."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from tests.strategies.policy_text import mesh_of
from tests.unit.targets.appmesh.lower.lowering import DAY

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.driver.reading_back import judgement, read_back
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.verify.translation import Translation
from meshproof.targets.appmesh.emit import SECURITY_GROUPS
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.residue.security_groups import ANYWHERE
from meshproof.targets.appmesh.target import AppMeshTarget

TARGET = AppMeshTarget()
Template = dict[str, Any]
POLICY = """
service web { port http 80 -> 8080 }
service pay { port http 9000  versions v1, v2 }
service till { account web }
service shut { port tcp 7000 }
service lab { namespace lab  port tcp 5432 }
gateway edge { namespace edge  hosts "shop.example"  port http 80 -> 8000 }
allow public: internet -> edge
allow e: edge -> web { GET /** }
allow a: web -> pay { POST /charge }
allow b: { pay, web } -> lab
route edge { host "shop.example" /** => web:http }
"""


@cache
def compiled() -> tuple[Mesh, CompileOptions, AppMeshLowered]:
    """The policy and its lowering."""
    settings = (("app-mesh.network", "security-groups"), ("app-mesh.discovery", "dns:{name}.{namespace}.internal"))
    options = CompileOptions(DAY, settings, "hash", require=Judgement.COOPERATIVE)
    mesh = mesh_of(POLICY)
    lowered = TARGET.lower(mesh, options)
    assert not has_errors(lowered.diagnostics), [one.message for one in lowered.diagnostics]
    return mesh, options, lowered


def written() -> Template:
    """The template."""
    (file,) = [one for one in TARGET.emit(compiled()[2]) if one.path == SECURITY_GROUPS]
    found: Template = json.loads(file.content)
    return found


def judged(*templates: Template) -> Translation:
    """What is known with these templates in its place."""
    mesh, options, lowered = compiled()
    files = [one for one in TARGET.emit(lowered) if one.path != SECURITY_GROUPS]
    files += [Artifact(f"{at}.json", json.dumps(one).encode()) for at, one in enumerate(templates)]
    lifted = read_back(TARGET, tuple(files), options, mesh)
    assert lifted.mesh is not None
    return judgement(mesh, lifted, lowered.losses, DAY)


def group(service: str, kind: str = "Service") -> str:
    """The name of a workload's group."""
    (found,) = [one for one in written()["Outputs"] if one.startswith(f"SecurityGroup{kind}{service}")]
    return str(found)


def rules(template: Template) -> dict[str, dict[str, Any]]:
    """The rules, by their names."""
    found = template["Resources"].items()
    return {name: one["Properties"] for name, one in found if one["Type"] == "AWS::EC2::SecurityGroupIngress"}


def _open(template: Template, name: str) -> set[tuple[int, str]]:
    """The ports of a group, and who may connect: the names of groups or addresses."""
    own = [one for one in rules(template).values() if one["GroupId"] == {"Fn::GetAtt": [name, "GroupId"]}]
    found = set()
    for one in own:
        assert one["IpProtocol"] == "tcp"
        assert one["FromPort"] == one["ToPort"]
        source = one.get("SourceSecurityGroupId", {}).get("Fn::GetAtt", ["", ""])[0]
        found.add((one["FromPort"], source or one.get("CidrIp") or one["CidrIpv6"]))
    return found


def test_ports_are_open_to_those_who_may_call() -> None:
    """To the groups of all workloads of an identity; by a door to the gate alone. Nobody comes to what nobody may."""
    found, edge, gate = written(), group("Edge", "Gateway"), group("Meshproof", "Gate")
    assert _open(found, group("Pay")) == {(9000, gate)}
    assert _open(found, gate) == {(9000, group("Web")), (9000, group("Till"))}
    assert _open(found, group("Lab")) == {(5432, group("Pay")), (5432, group("Web")), (5432, group("Till"))}
    assert _open(found, group("Web")) == {(8080, edge)}
    assert _open(found, edge) == {(8000, "0.0.0.0/0"), (8000, "::/0")}
    assert _open(found, group("Shut")) == set()


def test_what_is_emitted_is_proved() -> None:
    assert judged(written()).is_sound


def _without(name: str) -> Template:
    found = written()
    del found["Resources"][name]
    return found


def test_every_resource_is_needed() -> None:
    """Without its group a workload is open, and without a rule somebody is kept out."""
    assert [name for name in written()["Resources"] if judged(_without(name)).is_sound] == []
    assert not judged().is_sound


def test_everybody_is_kept_out_without_a_rule_for_any_address() -> None:
    """Those of one family of addresses alone would be more than nobody."""
    found = written()
    open_to_all = [name for name, one in rules(found).items() if "CidrIp" in one or "CidrIpv6" in one]
    assert len(open_to_all) == len(ANYWHERE)
    for name in open_to_all:
        del found["Resources"][name]
    assert not judged(found).is_sound


def _changed(name: str, change: Callable[[dict[str, Any]], object]) -> Template:
    found = copy.deepcopy(written())
    change(found["Resources"][name])
    return found


def _rule_changes() -> Iterator[Callable[[dict[str, Any]], object]]:
    given: list[dict[str, Any]] = [
        {"FromPort": 1},
        {"ToPort": 65535},
        {"FromPort": 15001, "ToPort": 15001},
        {"FromPort": "9000"},
        {"IpProtocol": "-1"},
        {"CidrIp": "10.0.0.0/8"},
        {"SourceSecurityGroupId": "sg-1"},
        {"SourcePrefixListId": "pl-1"},
        {"GroupId": {"Ref": "Other"}},
        {"GroupId": {"Fn::GetAtt": ["Other", "GroupId"]}},
    ]
    for fields in given:
        yield lambda one, fields=fields: one["Properties"].update(fields)  # type: ignore[misc]
    yield lambda one: one.update(Condition="IsTest")
    yield lambda one: one.update(Type="AWS::EC2::SecurityGroupEgress")


@pytest.mark.parametrize("number", range(12))
def test_no_rule_may_say_anything_else(number: int) -> None:
    """At every rule, unless it says so already."""
    change = [*_rule_changes()][number]
    assert [name for name in rules(written()) if judged(_changed(name, change)).is_sound] == []


def test_no_group_may_say_anything_else() -> None:
    """Rules of its own, above all."""
    anybody = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
    own = {"SecurityGroupIngress": [anybody]}
    assert not judged(_changed(group("Pay"), lambda one: one["Properties"].update(own))).is_sound
    assert not judged(_changed(group("Pay"), lambda one: one.update(Condition="IsTest"))).is_sound


def _rule(name: str, port: int, **source: Any) -> Template:  # noqa: ANN401  JSON
    properties = {"GroupId": {"Fn::GetAtt": [name, "GroupId"]}, "IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    rule = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {**properties, **source}}
    return {"Resources": {"More": rule}}


def test_nothing_may_be_added() -> None:
    """In the same template or in another."""
    stranger = {"Fn::GetAtt": [group("Shut"), "GroupId"]}
    added = [
        _rule(group("Pay"), 15001, SourceSecurityGroupId=stranger),
        _rule(group("Pay"), 9000, SourceSecurityGroupId=stranger),
        _rule(group("Pay"), 9000, CidrIp="0.0.0.0/0"),
        _rule(group("Shut"), 7000, SourceSecurityGroupId=stranger),
        _rule("Other", 80, CidrIp="0.0.0.0/0"),
        {"Resources": {"More": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "x"}}}},
        {"Resources": {group("Pay"): {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "x"}}}},
    ]
    for one in added:
        assert not judged(written(), one).is_sound, one
    assert not judged({**written(), "Resources": {**written()["Resources"], **added[0]["Resources"]}}).is_sound


def test_other_templates_do_not_matter() -> None:
    other = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}
    assert judged(written(), other).is_sound
