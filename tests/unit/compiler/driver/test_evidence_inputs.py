"""Inputs in evidence: every byte, plain names, and nothing secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.compiler.driver.policies import TEA

from meshproof.compiler.driver.evidence_inputs import SecretFoundError, inputs_of
from meshproof.compiler.driver.policy import Policy, policy_of_manifests, read_policy

ZONE = 'zone outer "who is outside"\n'
DEPLOYMENT = "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\nspec: {ports: [{port: 80}]}\n"


def read(*paths: Path, stdin: str | None = None) -> Policy:
    policy = read_policy(paths, stdin=stdin)
    assert policy.is_judgeable, policy.diagnostics
    return policy


def test_the_very_bytes_are_kept_with_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + TEA.replace("\n", "\r\n").encode()
    (tmp_path / "tea.mesh").write_bytes(content)

    (only,) = inputs_of(read(tmp_path))

    assert (only.shown, only.file, only.content) == ("tea.mesh", "inputs/tea.mesh", content)


def test_what_a_policy_uses_from_above_keeps_its_place_beside_it(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "shop").mkdir()
    (tmp_path / "lib.mesh").write_text(ZONE)
    (tmp_path / "shop" / "tea.mesh").write_text(f'{TEA}zone far = spy\nuse "../lib.mesh" {{ outer = far }}\n')

    found = {one.shown: (one.file, one.is_named) for one in inputs_of(read(tmp_path / "shop"))}

    assert found == {"../lib.mesh": ("inputs/lib.mesh", False), "tea.mesh": ("inputs/policy/tea.mesh", True)}
    assert (tmp_path / "inputs" / "policy" / ".." / "lib.mesh").resolve() == (
        tmp_path / "inputs" / "lib.mesh"
    ).resolve()


@pytest.mark.parametrize(
    ("name", "file"),
    [("a:b.mesh", "inputs/a%3Ab.mesh"), ("a%3Ab.mesh", "inputs/a%253Ab.mesh"), ("é x.mesh", "inputs/é x.mesh")],
)
def test_a_name_that_another_system_could_not_hold_is_escaped(name: str, file: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(TEA)

    assert [one.file for one in inputs_of(read(tmp_path))] == [file]


def test_what_came_from_stdin_can_be_read_again_as_a_file() -> None:
    assert [one.file for one in inputs_of(read(stdin=TEA))] == ["inputs/%3Cstdin%3E.mesh"]
    assert [one.file for one in inputs_of(read(stdin=DEPLOYMENT))] == ["inputs/%3Cstdin%3E.yaml"]


@pytest.mark.parametrize(
    "secret",
    [
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {password: aHVudGVyMg==}\n",
        'apiVersion: v1\n"kind": "Secret"\nmetadata: {name: s}\n',
        "kind: Secret\nmetadata: {name: without-version}\n",
        "apiVersion: v1\nkind: !!str Secret\nmetadata: {name: tagged}\n",
        'apiVersion: v1\nkind: List\nitems: [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}]\n',
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  k: |\n    -----BEGIN RSA PRIVATE KEY-----\n",
        'kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\ndata: {k: \'{"keys": [{"kty": "oct", "k": "x"}]}\'}\n',
    ],
)
def test_a_secret_among_the_inputs_refuses_all(secret: str) -> None:
    policy = policy_of_manifests({"a.yaml": DEPLOYMENT, "s.yaml": secret})

    with pytest.raises(SecretFoundError, match=r"[sS]ecret") as refused:
        inputs_of(policy)

    assert "hunter" not in str(refused.value)


@pytest.mark.parametrize("kind", ["SecretProviderClass", "SealedSecret"])
def test_what_only_points_at_a_secret_is_none(kind: str) -> None:
    other = f"apiVersion: x.io/v1\nkind: {kind}\nmetadata: {{name: s}}\n"

    found = inputs_of(policy_of_manifests({"a.yaml": DEPLOYMENT, "o.yaml": other}))

    assert [one.shown for one in found] == ["a.yaml", "o.yaml"]
