"""Requests over manifests with what Istio makes of them, asked in the way of `meshproof eval`.

`cases/*.yaml` hold them by section of the notes on Istio. A case has `authz` (AuthorizationPolicies by their spec, of
the namespace `foo` and for `app: httpbin` if they do not say otherwise), `objects` and `mesh` (the mesh configuration),
and requests by what comes out: `allow`, `deny`, `error`. A request is what it changes of `base`, the case's and the
file's.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshproof.compiler.driver.deciding import answer
from meshproof.compiler.driver.pods import MeshOfPods
from meshproof.compiler.driver.policy import Reading, policy_of_manifests

DAY = date(2026, 11, 23)
FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
Case = dict[str, Any]


def _cases() -> list[Any]:
    found = []
    for file in FILES:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        for case in data["cases"]:
            whole = {**case, "base": {**data.get("base", {}), **case.get("base", {})}}
            found.append(pytest.param(whole, id=f"{file.stem}: {case['name']}"))
    return found


def _object(number: int, spec: Case) -> Case:
    """The AuthorizationPolicy; `metadata` in the spec is that of the object, and `everyone`: it selects all pods."""
    spec = dict(spec)
    metadata = {"name": f"p{number}", "namespace": "foo", **spec.pop("metadata", {})}
    if not (spec.pop("everyone", False) or {"selector", "targetRef", "targetRefs"} & spec.keys()):
        spec["selector"] = {"matchLabels": {"app": "httpbin"}}
    return {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": metadata, "spec": spec}


def _manifests(case: Case) -> str:
    objects = [_object(number, spec) for number, spec in enumerate(case.get("authz", ()))]
    if "mesh" in case:
        metadata = {"name": "istio", "namespace": "istio-system"}
        data = {"mesh": yaml.safe_dump(case["mesh"])}
        objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    return f"{yaml.safe_dump_all(objects)}---\n{case.get('objects', '')}"


def _merged(base: Case, change: Case) -> Case:
    """The request; a field that is changed to nothing is left out, but an identity that is none is one."""
    found = {**base, **change}
    if found["protocol"] == "tcp":
        found = {name: value for name, value in found.items() if name not in {"method", "path", "host", "headers"}}
    return {name: value for name, value in found.items() if value is not None}


def _wrong(case: Case) -> list[str]:
    """The requests about which something else is said than is expected."""
    settings = tuple(case.get("options", {}).items())
    policy = policy_of_manifests({"case.yaml": _manifests(case)}, Reading(settings=settings))
    assert policy.meshes, policy.diagnostics
    asked = MeshOfPods(policy, policy.meshes[0], lambda one: one)
    found = []
    for expected in ("allow", "deny", "error"):
        for change in case.get(expected, ()):
            line = json.dumps(_merged(case["base"], change))
            said = json.loads(answer(asked.mesh_for(line), line, DAY).text)
            if said.get("decision", "error") != expected:
                found.append(f"{change} should be {expected}, not {said}")
    return found


@pytest.mark.parametrize("case", _cases())
def test_case(case: Case) -> None:
    assert _wrong(case) == []


def test_there_are_hundreds_of_them() -> None:
    requests = sum(len(case.values[0].get(one, ())) for case in _cases() for one in ("allow", "deny", "error"))
    assert requests >= 300
