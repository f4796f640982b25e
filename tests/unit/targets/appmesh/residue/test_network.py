"""NetworkPolicies are such as the API server takes, and open what they should."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from tests.unit.policies.test_examples import boutique
from tests.unit.targets.appmesh.lower.lowering import DAY

from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.ir.judgement import Judgement
from meshproof.targets.appmesh.lower.lower import lower
from meshproof.targets.appmesh.residue.network import NetworkPolicy, document, network_policies, network_residuals
from meshproof.targets.appmesh.residue.workloads import Kind, Opening, Workload

_NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"}
_NAMESPACE = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"}
_LABELS = {"type": "object", "additionalProperties": {"type": "string", "maxLength": 63}}
_PORT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "protocol": {"enum": ["TCP", "UDP", "SCTP"]},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "networking.k8s.io/v1"},
        "kind": {"const": "NetworkPolicy"},
        "metadata": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name", "namespace"],
            "properties": {"name": _NAME, "namespace": _NAMESPACE, "labels": _LABELS},
        },
        "spec": {
            "type": "object",
            "additionalProperties": False,
            "required": ["podSelector"],
            "properties": {
                "podSelector": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"matchLabels": {**_LABELS, "minProperties": 1}},
                },
                "policyTypes": {"type": "array", "items": {"enum": ["Ingress", "Egress"]}, "uniqueItems": True},
                "ingress": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"ports": {"type": "array", "items": _PORT, "minItems": 1}},
                    },
                },
            },
        },
    },
}
"""Kubernetes API reference, NetworkPolicy v1, without the fields that are never written."""

WEB = Workload(Kind.SERVICE, "web", "app", (("app", "web"),), "spiffe://td/web", (Opening(80, None), Opening(90, None)))


def test_objects_of_the_example_shop_are_objects_of_kubernetes() -> None:
    """One for each workload, and one for the closed namespace."""
    mesh = boutique("dev")
    lowered = lower(mesh, CompileOptions(DAY, (), "hash", require=Judgement.COOPERATIVE))
    found = [document(one) for one in lowered.closing.policies]
    assert len(found) == len(mesh.services) + len(mesh.gateways) + len(lowered.gates) + 1
    for one in found:
        assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(one)] == []
    assert not [one for one in lowered.closing.policies if {15001, 9901} & {*one.ports}]


def test_a_workload_is_open_at_its_ports_and_a_namespace_at_none() -> None:
    """To everybody: who calls is for the listener."""
    closing, opening = map(document, network_policies([WEB], ["app"]))
    assert closing["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    assert opening["spec"] == {
        "podSelector": {"matchLabels": {"app": "web"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"protocol": "TCP", "port": 80}, {"protocol": "TCP", "port": 90}]}],
    }


def test_names_are_told_apart() -> None:
    """A service, a gateway and a gate may be called alike."""
    alike = [Workload(kind, "meshproof-gate", "app", (("app", kind),), "spiffe://td/x", ()) for kind in Kind]
    assert len({one.name for one in network_policies(alike, ["app"])}) == len(Kind) + 1


def test_what_is_left_is_said_where_it_applies() -> None:
    """Who applies them, and what they do not hold for."""
    assert list(network_residuals(())) == []
    opening = NetworkPolicy("app", "x", (("app", "web"),), (80,), "web")
    found = list(network_residuals((opening, NetworkPolicy("shut", "y", (), (), "shut"))))
    assert {one.code for one in found} == {"R11"}
    assert [one.names for one in found] == [("app", "shut"), ("shut",), ("app", "shut"), ("app", "shut")]
    assert len(list(network_residuals((opening,)))) == len(found) - 1
