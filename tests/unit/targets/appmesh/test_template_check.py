"""Problems of templates, by their paths; the lines that cfn-lint makes of them are in `test_cfnlint.py`."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from tests.unit.targets.appmesh.closed import SHAPES, meshes, plain

from meshproof.targets.appmesh.render.cloudformation import template
from meshproof.targets.appmesh.rules import breaches
from meshproof.targets.appmesh.template_check import Topic, problems
from meshproof.targets.appmesh.together import misfits
from meshproof.targets.appmesh.values import Value

MESH = {"Type": "AWS::AppMesh::Mesh", "Properties": {"MeshName": "shop"}}
SERVICE = {
    "Type": "AWS::AppMesh::VirtualService",
    "Properties": {
        "MeshName": "shop",
        "VirtualServiceName": "pay",
        "Spec": {"Provider": {"VirtualNode": {"VirtualNodeName": "pay"}}},
    },
}
NAMED = ("Resources", "S", "Properties", "Spec", "Provider", "VirtualNode", "VirtualNodeName")


def _node(name: object, **more: object) -> dict[str, object]:
    properties = {"MeshName": "shop", "VirtualNodeName": name, "Spec": {}}
    return {"Type": "AWS::AppMesh::VirtualNode", "Properties": properties, **more}


@given(meshes())
def test_what_the_rules_say_of_resources_is_said_of_their_template(resources: tuple[Value, ...]) -> None:
    found = problems(json.loads(json.dumps(template(resources))))
    own = [one for one in found if one.topic in {Topic.FIELD, Topic.RULE}]
    others = [one for one in found if one not in own]

    assert sorted(one.message for one in own) == sorted(one.message for each in resources for one in breaches(each))
    if not any("${" in repr(one) for one in resources):
        told = [(one.concern.value, one.message) for one in misfits(resources)]
        assert sorted((one.topic.value, one.message) for one in others) == sorted(told)
    assert all(one.path[0] == "Resources" for one in found)


@pytest.mark.parametrize("shape", ["text", 3, None, [], {}, {"Resources": []}, {"Resources": {"X": {"Type": 3}}}])
def test_what_is_no_template_has_no_problems(shape: object) -> None:
    assert problems(shape) == ()


def test_a_problem_is_told_where_the_value_is_used() -> None:
    made: Any = template([plain(index) for index in range(len(SHAPES))])
    broken = copy.deepcopy(made)
    (logical,) = [name for name, one in broken["Resources"].items() if one["Type"].endswith("VirtualGateway")]
    broken["Parameters"] = {"Port": {"Type": "Number", "Default": 70000}}
    broken["Resources"][logical]["Properties"]["Spec"]["Listeners"][0]["PortMapping"]["Port"] = {"Ref": "Port"}
    before = problems(made)

    (found,) = [one for one in problems(broken) if one not in before]
    at = ("Resources", logical, "Properties", "Spec", "Listeners", 0, "PortMapping", "Port")
    assert (found.topic, found.path) == (Topic.FIELD, at)
    assert found.message.endswith("`70000` is more than 65535")


@pytest.mark.parametrize(
    ("resources", "is_told"),
    [
        ({"M": MESH, "S": SERVICE}, True),
        ({"M": MESH, "S": SERVICE, "N": _node("pay")}, False),
        ({"M": MESH, "S": SERVICE, "N": _node("other")}, True),
        ({"S": SERVICE}, False),  # the rest of the mesh stands in other templates
        ({"M": MESH, "S": SERVICE, "N": _node({"Ref": "Name"})}, False),
        ({"M": MESH, "S": SERVICE, "N": _node("pay", Condition="Later")}, False),
        ({"M": MESH, "S": SERVICE, "N": _node("pay", Condition="Never")}, False),
        ({"M": MESH, "S": SERVICE, "N": {**_node("pay"), "Properties": {"MeshName": "shop"}}}, False),
    ],
)
def test_a_name_is_missed_if_the_template_tells_of_all_that_could_have_it(
    resources: dict[str, object], is_told: bool
) -> None:
    tree = {
        "Parameters": {"Name": {"Type": "String"}},
        "Conditions": {
            "Later": {"Fn::Equals": [{"Ref": "Name"}, "x"]},
            "Never": {"Fn::Equals": ["a", "b"]},
        },
        "Resources": resources,
    }
    found = [one.path for one in problems(tree) if one.topic is Topic.REFERENCE]
    assert found == ([NAMED] if is_told else [])


def test_names_of_refused_resources_are_names() -> None:
    refused = _node("pay")
    refused["Properties"] = {"MeshName": "shop", "VirtualNodeName": "pay", "Spec": {"Listeners": 3}}
    found = problems({"Resources": {"M": MESH, "S": SERVICE, "N": refused}})

    assert [one.path for one in found] == [("Resources", "N", "Properties", "Spec", "Listeners")]


def test_deep_templates_are_no_trouble() -> None:
    deep: Any = "x"
    for _ in range(450):
        deep = [{"Fn::Sub": deep}]
    assert problems({"Resources": {"N": _node(deep)}}) == ()
