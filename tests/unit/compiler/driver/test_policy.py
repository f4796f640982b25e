from __future__ import annotations

from pathlib import Path

from tests.unit.compiler.driver.policies import ENVIRONMENTS, TEA

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.output import lock_of, write_output
from meshproof.compiler.config.keys import Origin
from meshproof.compiler.driver.policy import Reading, policy_of_texts, read_policy


def test_a_sound_policy_has_a_mesh_and_its_name() -> None:
    policy = policy_of_texts({"tea.mesh": TEA})

    assert policy.is_judgeable
    assert policy.name == "tea"
    assert policy.environments == ()
    assert [mesh.environment for mesh in policy.meshes] == [None]


def test_each_environment_has_a_mesh() -> None:
    assert policy_of_texts({"tea.mesh": ENVIRONMENTS}).environments == ("dev", "prod")
    assert policy_of_texts({"tea.mesh": ENVIRONMENTS}, environment="prod").environments == ("prod",)


def test_an_environment_that_is_not_declared_is_an_error() -> None:
    policy = policy_of_texts({"tea.mesh": ENVIRONMENTS}, environment="moon")

    assert not policy.is_judgeable
    assert [one.code for one in policy.diagnostics] == ["MP210"]


def test_half_a_policy_is_never_judged() -> None:
    policy = policy_of_texts({"a.mesh": TEA, "b.mesh": "allow x: shop -> kettle {"})

    assert not policy.is_judgeable
    assert policy.name == ""
    assert policy.diagnostics


def test_files_and_stdin_are_one_policy(tmp_path: Path) -> None:
    (tmp_path / "tea.mesh").write_text(TEA, encoding="utf-8")

    policy = read_policy([tmp_path], stdin="service cup { port http 80 }")

    assert [service.name for service in policy.meshes[0].services] == ["cup", "kettle", "shop", "spy"]
    assert sorted(policy.sources) == ["<stdin>", "tea.mesh"]


def test_manifests_that_were_asked_for_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "tea.mesh").write_text(TEA, encoding="utf-8")

    policy = read_policy([tmp_path], Reading(origin=Origin.ISTIO))

    assert not policy.is_judgeable
    assert [one.code for one in policy.diagnostics] == ["MP006"]


def test_what_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    policy = read_policy([tmp_path / "nowhere.mesh"])

    assert not policy.is_judgeable
    assert [one.code for one in policy.diagnostics] == ["MP001"]


def test_what_was_compiled_from_a_policy_may_lie_beside_it(tmp_path: Path) -> None:
    (tmp_path / "tea.mesh").write_text(TEA, encoding="utf-8")
    written = Artifact("x/a.yaml", b"apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\n")
    lock = lock_of((written,), target="istio", source_hash="", version="1")
    write_output((written, lock), tmp_path / "build" / "istio")

    assert read_policy([tmp_path]).name == "tea"
    assert read_policy([tmp_path], Reading(origin=Origin.ISTIO)).origin is Origin.ISTIO
    assert [one.path for one in read_policy([tmp_path / "build"]).manifests] == ["istio/x/a.yaml"]

    (tmp_path / "build" / "istio" / "x" / "other.yaml").write_bytes(written.content)
    (problem,) = read_policy([tmp_path]).diagnostics
    assert (problem.code, "x/other.yaml" in problem.message) == ("MP022", True)
