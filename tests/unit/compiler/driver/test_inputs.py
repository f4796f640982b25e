from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.compiler.config.keys import Origin
from meshproof.compiler.driver.inputs import Inputs, gather, is_manifest
from meshproof.dsl.diagnostic import Severity

LIMIT = 10_000
POLICY = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: x}\n"


def gathered(folder: Path, files: dict[str, str], *names: str, wanted: Origin | None = None) -> Inputs:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return gather([folder / name for name in names or ("",)], None, LIMIT, wanted)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (POLICY, True),
        ("---\n# x\n" + POLICY, True),
        ('{"apiVersion": "v1", "kind": "List"}', True),
        ('{\n  "kind": "List", "apiVersion": "v1"}', True),
        ("- apiVersion: v1\n", True),
        ("Resources:\n  A: {Type: AWS::AppMesh::Mesh}\n", True),
        ('{"meshName": "shop", "spec": {}}', True),
        ("Resources:\n  A: {Type: AWS::SQS::Queue}\n", False),
        ("image: nginx\nreplicas: 2\n", False),
        ("mesh x { language 1 }\n# apiVersion is a word\n", False),
        ("", False),
    ],
)
def test_a_manifest_is_told_by_its_content(text: str, *, expected: bool) -> None:
    assert is_manifest(text.encode()) is expected


def test_a_folder_of_manifests_has_those_files_that_are_some(tmp_path: Path) -> None:
    found = gathered(tmp_path, {"a.yaml": POLICY, "b/c.yml": POLICY, "values.yaml": "x: 1", ".hidden/d.yaml": POLICY})

    assert [one.path for one in found.manifests] == ["a.yaml", "b/c.yml"]
    assert found.policies == ()


def test_a_folder_of_policies_is_left_to_the_loader(tmp_path: Path) -> None:
    found = gathered(tmp_path, {"a.mesh": "", "values.yaml": "x: 1"})

    assert found.manifests == ()
    assert found.policies == (tmp_path,)


def test_a_folder_of_both_is_both_unless_one_is_wanted(tmp_path: Path) -> None:
    files = {"a.mesh": "", "b.yaml": POLICY}

    both, mesh = gathered(tmp_path, files), gathered(tmp_path, files, wanted=Origin.MESH)

    assert ([one.path for one in both.manifests], both.policies) == (["b.yaml"], (tmp_path,))
    assert (mesh.manifests, mesh.policies) == ((), (tmp_path,))


def test_a_file_that_was_named_is_a_manifest_by_its_ending_whatever_is_in_it(tmp_path: Path) -> None:
    assert [one.path for one in gathered(tmp_path, {"a.yaml": "x: 1"}, "a.yaml").manifests] == ["a.yaml"]
    assert gathered(tmp_path, {"a.mesh": POLICY}, "a.mesh").manifests == ()


def test_a_file_of_any_name_is_a_manifest_by_its_content(tmp_path: Path) -> None:
    assert [one.path for one in gathered(tmp_path, {"dump": POLICY}, "dump").manifests] == ["dump"]


def test_stdin_is_one_or_the_other() -> None:
    assert gather([], "mesh x { }", LIMIT).stdin == "mesh x { }"
    manifests = gather([], POLICY, LIMIT)
    assert (manifests.stdin, [one.path for one in manifests.manifests]) == (None, ["<stdin>"])


def test_files_that_are_too_large_or_cannot_be_read_are_findings(tmp_path: Path) -> None:
    large = gathered(tmp_path, {"a.yaml": POLICY + "#" * LIMIT})
    missing = gathered(tmp_path, {}, "nowhere.yaml")

    assert [one.code for one in large.diagnostics] == ["MP004"]
    assert [one.code for one in missing.diagnostics] == ["MP001"]


def test_a_link_out_of_the_tree_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "a.yaml").symlink_to(tmp_path / "outside.yaml")

    found = gather([tmp_path / "inside"], None, LIMIT)

    assert found.manifests == ()
    assert [one.code for one in found.diagnostics] == ["MP007"]


APP_MESH = "apiVersion: appmesh.k8s.aws/v1beta2\nkind: Mesh\nmetadata: {name: x}\nspec: {}\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n"


@pytest.mark.parametrize(
    ("files", "origin"),
    [
        ({"a.yaml": POLICY, "b.yaml": SERVICE}, Origin.ISTIO),
        ({"a.yaml": APP_MESH, "b.yaml": SERVICE}, Origin.APP_MESH),
        ({"t.template": "Resources: {A: {Type: 'AWS::AppMesh::Mesh'}}"}, Origin.APP_MESH),
    ],
)
def test_manifests_tell_which_mesh_they_are_for(tmp_path: Path, files: dict[str, str], origin: Origin) -> None:
    found = gathered(tmp_path, files)
    assert (found.origin, found.diagnostics, len(found.manifests)) == (origin, (), len(files))


def test_of_objects_of_two_meshes_those_of_istio_are_judged_unless_others_are_meant(tmp_path: Path) -> None:
    files = {"a.yaml": APP_MESH, "b.yaml": POLICY}
    found = gathered(tmp_path, files)
    assert [(one.code, one.severity) for one in found.diagnostics] == [("MP022", Severity.WARNING)]
    assert found.origin is Origin.ISTIO
    for meant in (Origin.ISTIO, Origin.APP_MESH):
        chosen = gathered(tmp_path, files, wanted=meant)
        assert (chosen.origin, chosen.diagnostics) == (meant, ())
