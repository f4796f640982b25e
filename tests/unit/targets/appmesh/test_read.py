"""What is written of a resource is read back as it was; what App Mesh refuses is refused, with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.targets.appmesh.strategies import resources

from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.read import Reader
from meshproof.targets.appmesh.spelling import API, CLOUDFORMATION, Spelling
from meshproof.targets.appmesh.write import to_json
from meshproof.targets.common.json_tree import parse

SPELLINGS = (API, CLOUDFORMATION)


def _read(shape: type[Any], value: object, spelling: Spelling = API) -> tuple[Any, list[str]]:
    reader = Reader(spelling)
    found = reader.read(shape, parse(json.dumps(value), "a.json")[0])
    return found, [f"{fault.path}: {fault.message}" for fault in reader.faults]


@given(resources(), st.sampled_from(SPELLINGS))
def test_what_is_written_is_read_back(resource: object, spelling: Spelling) -> None:
    assert _read(type(resource), to_json(resource, spelling), spelling) == (resource, [])


ACTION = {"weightedTargets": [{"virtualNode": "v", "weight": 1}]}
ROUTE = {
    "meshName": "m",
    "virtualRouterName": "r",
    "routeName": "a",
    "spec": {
        "httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": [{"virtualNode": "v", "weight": 1}]}}
    },
}


def _route(**match: object) -> dict[str, object]:
    return {**ROUTE, "spec": {"httpRoute": {"match": match, "action": ACTION}}}


@pytest.mark.parametrize(
    ("route", "message"),
    [
        (_route(method="BREW"), ".spec.httpRoute.match.method: `BREW` is none of `GET`, `HEAD`"),
        (_route(port=65536), ".spec.httpRoute.match.port: `65536` is more than 65535"),
        (_route(port="80"), ".spec.httpRoute.match.port: `80` is not a whole number"),
        (_route(port=True), ".spec.httpRoute.match.port: `true` is not a whole number"),
        (_route(prefx="/"), ".spec.httpRoute.match.prefx: `prefx` is no field of it"),
        (_route(headers=[]), ".spec.httpRoute.match.headers: 0 entries is less than 1"),
        (_route(headers=[{}]), ".spec.httpRoute.match.headers[0]: `name` is missing"),
        (
            _route(headers=[{"name": "x", "match": {"exact": "a", "prefix": "b"}}]),
            ".spec.httpRoute.match.headers[0].match: exactly one of `exact`",
        ),
        ({**ROUTE, "spec": []}, ".spec: it is no mapping"),
        ({**ROUTE, "meshOwner": "1"}, ".meshOwner: 1 characters is less than 12"),
    ],
)
def test_what_app_mesh_refuses_is_refused(route: dict[str, object], message: str) -> None:
    found, faults = _read(Route, route)

    assert found is None
    assert len(faults) == 1
    assert faults[0].startswith(message)


def test_cloudformation_takes_numbers_and_truth_as_text() -> None:
    listener = {"PortMapping": {"Port": "8080", "Protocol": "http"}}
    node = {"MeshName": "m", "VirtualNodeName": "v", "Spec": {"Listeners": [listener]}}

    found, faults = _read(VirtualNode, node, CLOUDFORMATION)

    assert faults == []
    assert found.spec.listeners[0].port_mapping.port == 8080


def test_every_fault_is_told_at_its_place() -> None:
    reader = Reader(API)
    text = json.dumps(_route(method="GIT", port=0))

    assert reader.read(Route, parse(text, "a.json")[0]) is None
    assert [text[fault.span.start : fault.span.end] for fault in reader.faults] == ['"GIT"', "0"]
    assert reader.faults[0].help == "did you mean `GET`?"
