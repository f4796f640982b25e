"""The examples of docs/operations/sidecar.md are what the sidecar takes."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from configparser import ConfigParser
from pathlib import Path

import jsonschema
import pytest
import yaml

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.cli import COMMANDS
from meshproof.runtime.net.material.fit import gaps
from meshproof.runtime.settings_run import RunLimits
from meshproof.runtime.settings_run_file import parse_run_settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations/sidecar.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "runtime/run.schema.json").read_text(encoding="utf-8"))


def _fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


MESH = policy_of_texts({"shop.mesh": _fences("mesh")[0]}).meshes[0]
TOMLS = _fences("toml")
OBJECTS = [one for text in _fences("yaml") for one in yaml.safe_load_all(text)]
ON_KUBERNETES = next(one["data"]["run.toml"] for one in OBJECTS if one["kind"] == "ConfigMap")


@pytest.mark.parametrize("text", [*TOMLS, ON_KUBERNETES])
def test_settings_are_taken_and_fit_the_policy(text: str) -> None:
    settings = parse_run_settings(text.encode(), Path("/etc/meshproof/run.toml"))
    jsonschema.Draft202012Validator(SCHEMA).validate(tomllib.loads(text))
    assert gaps(MESH, settings) == ()
    assert MESH.node(settings.service) is not None


def test_callers_look_for_sidecars_where_they_listen() -> None:
    settings = [parse_run_settings(text.encode(), Path("/etc/run.toml")) for text in TOMLS]
    listening = {(one.service, port.port): port.listen for one in settings for port in one.inbound}
    sought = {(group.destination, group.port): group.addresses for one in settings for group in one.endpoints}
    assert sought == {key: (place,) for key, place in listening.items()}
    assert {key[0] for key in sought} == {NodeName("catalog"), NodeName("ledger")}


def test_the_limits_that_are_called_defaults_are_the_defaults() -> None:
    (text,) = [one for one in TOMLS if "[limits]" in one]
    assert parse_run_settings(text.encode(), Path("/etc/run.toml")).limits == RunLimits()


def test_the_unit_runs_a_command_that_exists_and_waits_longer_than_a_drain() -> None:
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(_fences("ini")[0])
    service = unit["Service"]
    command, *arguments = shlex.split(service["ExecStart"])
    assert Path(command).name == "meshproof-proxy"
    assert arguments[0] in {one.name for one in COMMANDS}
    assert service["ExecStartPre"] == f"{service['ExecStart']} --check"
    drains = [parse_run_settings(text.encode(), Path("/etc/run.toml")).process.drain_seconds for text in TOMLS]
    assert int(service["TimeoutStopSec"]) > max(drains)


def test_the_objects_of_kubernetes_fit_together() -> None:
    settings = parse_run_settings(ON_KUBERNETES.encode(), Path("/etc/run.toml"))
    (deployment,) = [one for one in OBJECTS if one["kind"] == "Deployment"]
    (service,) = [one for one in OBJECTS if one["kind"] == "Service"]
    pod = deployment["spec"]["template"]["spec"]
    (sidecar,) = pod["initContainers"]
    ports = {one["name"]: one["containerPort"] for one in sidecar["ports"]}
    assert settings.admin is not None
    assert ports == {"mesh": settings.inbound[0].listen.port, "admin": settings.admin.port}
    assert service["spec"]["ports"][0]["targetPort"] == ports["mesh"]
    assert sidecar["restartPolicy"] == "Always"
    assert pod["terminationGracePeriodSeconds"] > settings.process.drain_seconds
    mounts = {one["name"]: one["mountPath"] for one in sidecar["volumeMounts"]}
    assert {one["name"] for one in pod["volumes"]} == set(mounts)
    assert Path(mounts["policy"]) == settings.policy.bundle.parent
    environment = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
    assert environment == {
        "LISTEN": str(settings.inbound[0].application),
        "LEDGER": f"http://{settings.outbound[0].listen}",
    }
