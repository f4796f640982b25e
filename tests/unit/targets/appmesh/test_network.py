"""What closes the network is read back: files that close less, or keep somebody out, are not proved."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import yaml
from tests.strategies.policy_text import mesh_of
from tests.unit.targets.appmesh.lower.lowering import DAY

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.driver.reading_back import judgement, read_back
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.verify.translation import Translation
from meshproof.targets.appmesh.emit import NETWORK_POLICIES
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.target import AppMeshTarget

TARGET = AppMeshTarget()
Document = dict[str, Any]
Change = Callable[[Document], object]
POLICY = """
mesh shop { language 1  trust-domain "td"  namespace app  mtls strict  egress open }
namespace app { closed }
service web { port http 80 -> 8080 }
service pay { port http 9000  versions v1, v2 }
service job { namespace lab }
service lab { namespace lab  port tcp 5432 }
gateway edge { namespace edge  hosts "shop.example"  port http 80 -> 8000 }
allow public: internet -> edge
allow e: edge -> web { GET /** }
allow a: web -> pay { POST /charge }
allow b: pay -> lab
route edge { host "shop.example" /** => web:http }
"""
CLOSED = "meshproof-closed"
NAMES = [
    CLOSED,
    "meshproof-gate",
    "meshproof-gateway-edge",
    "meshproof-service-job",
    "meshproof-service-lab",
    "meshproof-service-pay",
    "meshproof-service-web",
]


@cache
def compiled(rendering: str = "cloudformation") -> tuple[Mesh, CompileOptions, AppMeshLowered]:
    """The policy and its lowering."""
    settings = (("app-mesh.rendering", rendering),)
    options = CompileOptions(DAY, settings, "hash", require=Judgement.COOPERATIVE)
    mesh = mesh_of(POLICY, has_mesh=True)
    lowered = TARGET.lower(mesh, options)
    assert not has_errors(lowered.diagnostics), [one.message for one in lowered.diagnostics]
    return mesh, options, lowered


def written() -> dict[str, Document]:
    """The policies, by their names."""
    (file,) = [one for one in TARGET.emit(compiled()[2]) if one.path == NETWORK_POLICIES]
    return {one["metadata"]["name"]: one for one in yaml.safe_load_all(file.content)}


def judged(*documents: Document) -> Translation:
    """What is known where the network is closed by these instead."""
    mesh, options, lowered = compiled()
    listed = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
    files = [one for one in TARGET.emit(lowered) if one.path != NETWORK_POLICIES]
    files.append(Artifact(NETWORK_POLICIES, json.dumps(listed).encode()))
    lifted = read_back(TARGET, tuple(files), options, mesh)
    assert lifted.mesh is not None
    return judgement(mesh, lifted, lowered.losses, DAY)


def test_what_is_emitted_is_proved() -> None:
    """As it stands, and in any order."""
    assert judged(*written().values()).is_sound
    assert judged(*reversed(written().values())).is_sound


@pytest.mark.parametrize("rendering", ["api", "kubernetes"])
def test_it_is_read_wherever_it_stands(rendering: str) -> None:
    """Among the objects that are applied, too."""
    mesh, options, lowered = compiled(rendering)
    files = TARGET.emit(lowered)
    (own,) = [one for one in files if b"kind: NetworkPolicy" in one.content]
    assert own.path == (NETWORK_POLICIES if rendering == "api" else "manifests/1-network-policy.yaml")
    assert judgement(mesh, read_back(TARGET, files, options, mesh), lowered.losses, DAY).is_sound
    others = tuple(one for one in files if one is not own)
    assert not judgement(mesh, read_back(TARGET, others, options, mesh), lowered.losses, DAY).is_sound


def test_each_is_needed() -> None:
    """Without it pods are not isolated, or nobody comes in."""
    every = written()
    assert sorted(every) == NAMES
    assert [name for name in every if judged(*(every[one] for one in every if one != name)).is_sound] == []


def _rule(policy: Document) -> Document:
    found: Document = policy["spec"]["ingress"][0]
    return found


def _opens(*rules: Any) -> Change:  # noqa: ANN401  JSON
    return lambda one: one["spec"].update(ingress=list(rules))


def _says(**fields: Any) -> Change:  # noqa: ANN401  JSON
    return lambda one: one["spec"].update(fields)


EVERY: dict[str, Change] = {
    "nothing that comes in": _says(policyTypes=["Egress"]),
    "what leaves, too": _says(policyTypes=["Ingress", "Egress"]),
    "types that Kubernetes has to guess": lambda one: one["spec"].pop("policyTypes"),
    "rules for what leaves": _says(egress=[]),
    "everybody, everywhere": _opens({}),
    "every port of a list": _opens({"ports": []}),
    "the port of a proxy": _opens({"ports": [{"protocol": "TCP", "port": 15001}]}),
    "a rule that is none": _opens("all"),
    "no list": _says(ingress={}),
    "null": _says(ingress=None),
    "other pods": _says(podSelector={"matchLabels": {"app": "other"}}),
    "pods by an expression": _says(podSelector={"matchExpressions": [{"key": "app", "operator": "Exists"}]}),
    "labels that are none": _says(podSelector={"matchLabels": {"app": 1}}),
    "no selector": lambda one: one["spec"].pop("podSelector"),
    "another namespace": lambda one: one["metadata"].update(namespace="elsewhere"),
    "no namespace": lambda one: one["metadata"].pop("namespace"),
    "no name": lambda one: one["metadata"].pop("name"),
    "no spec": lambda one: one.pop("spec"),
    "an old version": lambda one: one.update(apiVersion="extensions/v1beta1"),
    "another kind": lambda one: one.update(kind="NetworkPolicyList"),
}
WITH_PORTS: dict[str, Change] = {
    "one port more": lambda one: _rule(one)["ports"].append({"protocol": "TCP", "port": 9901}),
    "a range": lambda one: _rule(one)["ports"][0].update(endPort=65535),
    "UDP": lambda one: _rule(one)["ports"][0].update(protocol="UDP"),
    "no protocol": lambda one: _rule(one)["ports"][0].pop("protocol"),
    "a name": lambda one: _rule(one)["ports"][0].update(port="http"),
    "a number as text": lambda one: _rule(one)["ports"][0].update(port=str(_rule(one)["ports"][0]["port"])),
    "a truth": lambda one: _rule(one)["ports"][0].update(port=True),
    "no number": lambda one: _rule(one)["ports"][0].pop("port"),
    "no such number": lambda one: _rule(one)["ports"][0].update(port=0),
    "another number": lambda one: _rule(one)["ports"][0].update(port=_rule(one)["ports"][0]["port"] + 1),
    "some callers": lambda one: _rule(one).update({"from": [{"podSelector": {}}]}),
    "nobody": lambda one: one["spec"].pop("ingress"),
    "a second rule": lambda one: one["spec"]["ingress"].append({}),
    "all pods": _says(podSelector={}),
}


@pytest.mark.parametrize("what", EVERY)
def test_none_may_say_anything_else(what: str) -> None:
    """At every policy."""
    survivors = [name for name in written() if _is_sound_with(name, EVERY[what])]
    assert survivors == []


@pytest.mark.parametrize("what", WITH_PORTS)
def test_ports_are_open_to_all_and_no_others_are(what: str) -> None:
    """At every policy that opens any."""
    open_ones = [name for name, one in written().items() if "ingress" in one["spec"]]
    assert len(open_ones) == len(NAMES) - 2
    assert [name for name in open_ones if _is_sound_with(name, WITH_PORTS[what])] == []


def _is_sound_with(name: str, change: Change) -> bool:
    every = copy.deepcopy(written())
    change(every[name])
    return judged(*every.values()).is_sound


def _more(name: str, namespace: str, **spec: Any) -> Document:  # noqa: ANN401  JSON
    whole = {"podSelector": {}, "policyTypes": ["Ingress"], **spec}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": whole}


PORTS = [{"ports": [{"protocol": "TCP", "port": 8080}]}]
ADDED = {
    "an open namespace is closed": _more("x", "lab"),
    "a namespace of others is closed": _more("x", "others"),
    "all pods are open": _more("x", "app", ingress=PORTS),
    "undeclared pods are open": _more("x", "app", podSelector={"matchLabels": {"app": "stray"}}, ingress=PORTS),
    "some pods of a workload are open": _more(
        "x", "app", podSelector={"matchLabels": {"app": "pay", "version": "v1"}}, ingress=PORTS
    ),
    "a workload is open elsewhere too": _more("x", "app", podSelector={"matchLabels": {"app": "pay"}}, ingress=PORTS),
    "one takes the place of another": _more(CLOSED, "app", podSelector={"matchLabels": {"app": "web"}}, ingress=PORTS),
}


@pytest.mark.parametrize("what", ADDED)
def test_nothing_may_be_added(what: str) -> None:
    """Policies add up."""
    assert not judged(*written().values(), ADDED[what]).is_sound
