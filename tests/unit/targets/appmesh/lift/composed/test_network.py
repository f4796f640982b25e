"""NetworkPolicies are read as Kubernetes takes them, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.network import Policies, policies_of
from meshproof.targets.common.documents import read_documents

NAMESPACES = ("app", "lab")
PODS: tuple[dict[str, str], ...] = ({}, {"app": "a"}, {"app": "b"}, {"app": "a", "tier": "x"})
PORTS = (80, 81, 9901)
OTHER_PORT = 4242

_labels = st.sampled_from([{}, {"app": "a"}, {"app": "b"}, {"app": "a", "tier": "x"}])
_plain_port = st.fixed_dictionaries({"protocol": st.just("TCP"), "port": st.sampled_from(PORTS)})
_any_port = st.fixed_dictionaries(
    {}, optional={"protocol": st.sampled_from(["TCP", "UDP"]), "port": st.sampled_from([*PORTS, "http"])}
) | st.just({"protocol": "TCP", "port": 80, "endPort": 90})
_selector = st.fixed_dictionaries({}, optional={"matchLabels": _labels})
_expression = st.just({"matchExpressions": [{"key": "app", "operator": "Exists"}]})


def _rule(port: st.SearchStrategy[Any], callers: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional={"ports": st.lists(port, max_size=2), "from": callers})


_plain_rule = st.fixed_dictionaries({"ports": st.lists(_plain_port, min_size=1, max_size=2)})
_any_rule = _rule(_any_port, st.sampled_from([[], [{"podSelector": {}}]]))
_types = st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"], []])


def _spec(rule: st.SearchStrategy[Any], selector: st.SearchStrategy[Any], types: st.SearchStrategy[Any]) -> Any:  # noqa: ANN401
    return st.fixed_dictionaries(
        {"podSelector": selector, "policyTypes": types}, optional={"ingress": st.lists(rule, max_size=2)}
    )


_plain = _spec(_plain_rule, _selector, st.just(["Ingress"]))
_any = _spec(_any_rule | _plain_rule, _selector | _expression, _types)


def _policies(spec: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.tuples(st.sampled_from(NAMESPACES), spec), max_size=4).map(
        lambda found: [
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": f"p{at}", "namespace": namespace},
                "spec": one,
            }
            for at, (namespace, one) in enumerate(found)
        ]
    )


def _read(policies: list[Any]) -> tuple[Policies, list[str]]:
    trees = [read_documents(f"{at}.json", json.dumps(one).encode()).trees[0] for at, one in enumerate(policies)]
    doubts = Doubts()
    return policies_of(trees, doubts), [one.message for one in doubts.every]


def _takes(policies: list[Any], namespace: str, pod: dict[str, str], port: int) -> bool:
    """Whether a pod takes a connection of TCP from a pod elsewhere (Kubernetes, "Network Policies"), told anew."""
    isolating = [
        one["spec"]
        for one in policies
        if one["metadata"]["namespace"] == namespace
        and _selects(one["spec"]["podSelector"], pod)
        # Without types a policy is for what comes in.
        and "Ingress" in (one["spec"]["policyTypes"] or ["Ingress"])
    ]
    return not isolating or any(
        not rule.get("from") and _opens(rule, port) for spec in isolating for rule in spec.get("ingress", ())
    )


def _selects(selector: dict[str, Any], pod: dict[str, str]) -> bool:
    keys = [one["key"] for one in selector.get("matchExpressions", ())]
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= pod.items() and all(key in pod for key in keys)


def _opens(rule: dict[str, Any], port: int) -> bool:
    return not rule.get("ports") or any(_is_of(one, port) for one in rule["ports"])


def _is_of(one: dict[str, Any], port: int) -> bool:
    number = one.get("port")
    if one.get("protocol", "TCP") != "TCP":
        return False
    if number is None:
        return True
    # Nobody can tell which number a pod calls `http`.
    return number == "http" or int(number) <= port <= int(one.get("endPort", number))


def _cases() -> Iterator[tuple[str, dict[str, str], int]]:
    return ((namespace, pod, port) for namespace in NAMESPACES for pod in PODS for port in (*PORTS, OTHER_PORT))


def _agrees(policies: list[Any], read: Policies) -> bool:
    for namespace, pod, port in _cases():
        ports = read.ports(namespace, tuple(sorted(pod.items())))
        if (ports is None or port in ports) != _takes(policies, namespace, pod, port):
            return False
    return True


@settings(max_examples=200)
@given(_policies(_any))
def test_whatever_is_understood_is_what_kubernetes_does(policies: list[Any]) -> None:
    read, doubts = _read(policies)
    assert doubts or _agrees(policies, read)


@given(_policies(_plain))
def test_plain_ones_are_understood(policies: list[Any]) -> None:
    read, doubts = _read(policies)
    assert doubts == []
    assert _agrees(policies, read)


@given(_policies(_plain))
def test_a_namespace_is_closed_if_pods_that_nobody_names_take_nothing(policies: list[Any]) -> None:
    """Those have no label that any policy asks for."""
    read, _ = _read(policies)
    for namespace in NAMESPACES:
        takes_nothing = not any(_takes(policies, namespace, {}, port) for port in (*PORTS, OTHER_PORT))
        assert (namespace in read.closed) == takes_nothing
