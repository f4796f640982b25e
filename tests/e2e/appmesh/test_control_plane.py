"""What is rendered, through boto3's own client; and the control plane that answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from tests.unit.targets.appmesh.closed import SHAPES, meshes, plain, read_back

pytest.importorskip("boto3", reason="boto3, of the extra `oracles`, is not installed")

from botocore.exceptions import ClientError, ParamValidationError
from tests.e2e.appmesh.control_plane import ControlPlane, operations
from tests.e2e.appmesh.judging import findings

from meshproof.targets.appmesh.references import key_of, needed
from meshproof.targets.appmesh.render.calls import calls
from meshproof.targets.appmesh.render.kubernetes import Placement
from meshproof.targets.appmesh.rules import breaches
from meshproof.targets.appmesh.spelling import API
from meshproof.targets.appmesh.together import Quotas, misfits
from meshproof.targets.appmesh.values import Value
from meshproof.targets.appmesh.write import to_json

pytestmark = pytest.mark.oracle

HERE = Placement("shop", {"node": {"app": "node"}, "gate": {"app": "gate"}})
NODE = {"dns": {"hostname": "node.shop"}}  # with listeners, a node says how it is found


def _shop() -> tuple[Value, ...]:
    """The plain mesh, as App Mesh takes it."""
    made = []
    for index in range(len(SHAPES)):
        tree: Any = to_json(plain(index), API)
        if SHAPES[index].__name__ == "VirtualNode":
            tree["spec"] |= {"serviceDiscovery": NODE, "backends": tree["spec"]["backends"][:1]}
        made.append(_value(SHAPES[index].__name__, tree))
    return tuple(made)


def _value(kind: str, tree: object) -> Value:
    shape = next(one for one in SHAPES if one.__name__ == kind)
    found: Value = read_back(shape, tree)
    return found


SHOP = _shop()


@pytest.fixture(scope="module")
def clients() -> ControlPlane:
    """One for the module: a client of boto3 takes longer to make than all that it asks here."""
    return ControlPlane()


@pytest.fixture
def plane(clients: ControlPlane) -> ControlPlane:
    clients.stored.clear()
    clients.asked.clear()
    clients.quotas = Quotas()
    return clients


def _filled(plane: ControlPlane, resources: tuple[Value, ...] = SHOP) -> None:
    for one in calls(resources):
        plane.call(one.operation, _given(one.given))


def _given(given: object) -> dict[str, Any]:
    assert isinstance(given, dict)
    return dict(given)


def test_a_mesh_is_taken_in_all_renderings_told_as_it_was_given_and_deleted(plane: ControlPlane) -> None:
    assert findings(SHOP, HERE, plane) == ()
    creates = [name for name in plane.asked if name.startswith("Create")]
    assert sorted(creates) == sorted(f"Create{one.__name__}" for one in SHAPES)
    assert sum(name.startswith("Delete") for name in plane.asked) == len(SHOP)


@given(meshes())
def test_random_meshes_are_taken_unless_a_rule_says_no(clients: ControlPlane, drawn: tuple[Value, ...]) -> None:
    clients.stored.clear()
    clients.quotas = Quotas()
    resources = tuple(
        right if one == plain(index) else one for index, (one, right) in enumerate(zip(drawn, SHOP, strict=True))
    )
    is_right = not any(breaches(one) for one in resources) and not misfits(resources)
    found = [one for one in findings(resources, HERE, clients) if one.rendering != "kubernetes"]

    assert ([] if is_right else ["api", "cloudformation"]) == sorted({one.rendering for one in found})


@pytest.mark.parametrize("late", range(len(SHOP)))
def test_what_others_need_must_be_made_before_them_and_deleted_after(plane: ControlPlane, late: int) -> None:
    held_back = key_of(SHOP[late])
    users = [key_of(one) for one in SHOP if held_back in needed(one)]
    made = calls(SHOP)
    named = {key_of(one): call for one in SHOP for call in made if _given(to_json(one, API)) == call.given}

    refused = []
    for call in (call for call in made if call is not named[held_back]):
        code = _refusal(plane, call.operation, _given(call.given))
        if code is not None:
            refused.append((id(call), code))
    assert {(id(named[key]), "NotFoundException") for key in users} <= set(refused)

    plane.stored.clear()
    _filled(plane)
    kind = held_back.kind
    names = {name: value for name, value in _given(named[held_back].given).items() if name.endswith("Name")}
    if users:
        with pytest.raises(ClientError) as raised:
            plane.call(f"Delete{kind}", names)
        assert _code(raised.value) == "ResourceInUseException"
        assert held_back in plane.stored
    else:
        plane.call(f"Delete{kind}", names)
        assert held_back not in plane.stored


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _refusal(plane: ControlPlane, operation: str, given: dict[str, Any]) -> str | None:
    """The code of the error that a call is answered with, if any."""
    try:
        plane.call(operation, given)
    except ClientError as error:
        return _code(error)
    return None


def _broken(kind: str, **changed: object) -> Callable[[], tuple[str, dict[str, Any]]]:
    def broken() -> tuple[str, dict[str, Any]]:
        call = next(one for one in calls(SHOP) if one.operation == f"Create{kind}")
        return call.operation, {**_given(call.given), **changed}

    return broken


LISTENER = {"portMapping": {"port": 80, "protocol": "http"}}
UDP = {"listeners": [{"portMapping": {"port": 80, "protocol": "udp"}}]}
HIGH = {"listeners": [{"portMapping": {"port": 70000, "protocol": "http"}}]}
REFUSED: dict[str, tuple[Callable[[], tuple[str, dict[str, Any]]], str]] = {
    "twice": (_broken("VirtualNode"), "ConflictException"),
    "no mesh": (_broken("VirtualNode", meshName="other"), "NotFoundException"),
    "no router": (_broken("Route", routeName="x", virtualRouterName="other"), "NotFoundException"),
    "a value that is none": (_broken("VirtualRouter", virtualRouterName="x", spec=UDP), "BadRequestException"),
    "more than there may be": (_broken("VirtualRouter", virtualRouterName="x", spec=HIGH), "BadRequestException"),
    "a rule": (_broken("VirtualNode", virtualNodeName="x", spec={"listeners": [LISTENER]}), "BadRequestException"),
    "two kinds of route": (_broken("Route", routeName="x", spec={}), "BadRequestException"),
    "too many": (
        _broken("VirtualGateway", virtualGatewayName="x", spec={"listeners": [LISTENER]}),
        "LimitExceededException",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("broken", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_with_an_error_of_the_model(
    plane: ControlPlane, broken: Callable[[], tuple[str, dict[str, Any]]], code: str
) -> None:
    plane.quotas = Quotas(virtual_gateways=1)
    _filled(plane)
    before = dict(plane.stored)

    with pytest.raises(ClientError) as raised:
        plane.call(*broken())
    assert _code(raised.value) == code
    assert plane.stored == before


def test_the_client_itself_refuses_what_its_model_does_not_have(plane: ControlPlane) -> None:
    with pytest.raises(ParamValidationError, match="Unknown parameter"):
        plane.call("CreateMesh", {"meshName": "shop", "spec": {"egressFiltr": {}}})
    assert plane.asked == []


def test_an_update_of_the_same_changes_nothing_and_one_of_another_counts(plane: ControlPlane) -> None:
    _filled(plane)
    node = next(one for one in calls(SHOP) if one.operation == "CreateVirtualNode")
    tree = _given(node.given)

    def version(spec: object) -> int:
        told = plane.call("UpdateVirtualNode", {**tree, "spec": spec})
        return int(told["virtualNode"]["metadata"]["version"])

    other = {**tree["spec"], "backends": []}
    assert [version(spec) for spec in (tree["spec"], tree["spec"], other, other, tree["spec"])] == [1, 1, 2, 2, 3]
    with pytest.raises(ClientError) as raised:
        plane.call("UpdateVirtualNode", {**tree, "virtualNodeName": "absent"})
    assert _code(raised.value) == "NotFoundException"


def test_lists_come_in_pages_and_hold_all(plane: ControlPlane) -> None:
    _filled(plane)
    pages = plane.client.get_paginator("list_routes").paginate(
        meshName="shop", virtualRouterName="router", PaginationConfig={"PageSize": 1}
    )
    found = [[one["routeName"] for one in page["routes"]] for page in pages]
    assert found == [["first"], ["second~"]]
    assert [one["meshName"] for one in plane.call("ListMeshes", {})["meshes"]] == ["shop"]


def test_tags_are_put_on_and_taken_off(plane: ControlPlane) -> None:
    _filled(plane)
    arn = plane.call("DescribeMesh", {"meshName": "shop"})["mesh"]["metadata"]["arn"]
    plane.call("TagResource", {"resourceArn": arn, "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]})
    plane.call("UntagResource", {"resourceArn": arn, "tagKeys": ["a"]})
    assert plane.call("ListTagsForResource", {"resourceArn": arn})["tags"] == [{"key": "b", "value": "2"}]


def test_every_operation_of_the_model_is_answered(plane: ControlPlane) -> None:
    """Each is asked for on a full mesh: whatever is said, it is no missing operation."""
    service = plane.client.meta.service_model
    _filled(plane)
    for operation in operations():
        shape = service.operation_model(operation.name).input_shape
        by_call = {one.operation.removeprefix("Create"): _given(one.given) for one in calls(SHOP)}
        kind = next((one for one in sorted(by_call, key=len, reverse=True) if one in operation.name), "Mesh")
        whole = {**by_call[kind], "resourceArn": "none", "tags": [], "tagKeys": []}
        asked = {name: value for name, value in whole.items() if name in shape.members}
        said = _refusal(plane, operation.name, asked)
        assert plane.asked[-1] == operation.name
        assert said in {None, "NotFoundException", "ConflictException", "ResourceInUseException"}, operation.name
