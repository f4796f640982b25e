"""Environments: what is kept to some, values, and findings of some."""

from __future__ import annotations

from tests.strategies.policy_text import document_of

from meshproof.compiler.resolve import resolve

MESH = 'mesh m { language 1 trust-domain "td" namespace app environments dev, stage, prod }\n'
POLICY = (
    MESH
    + """
value host = "a.example", env dev, stage "a.test"
value port = 80, env dev 8000
service a { port http $port }
service load { env dev, stage }
gateway edge { hosts $host  port http 80 }
allow site: edge -> a
allow test: load -> a { env dev }
prove "p" { env prod  only edge reaches a }
test t { env dev  load -> a GET / => allow by test }
"""
)


def test_each_environment_is_a_mesh_of_its_own() -> None:
    dev, stage, prod = resolve([document_of(POLICY)]).meshes

    assert [mesh.environment for mesh in (dev, stage, prod)] == ["dev", "stage", "prod"]
    assert [len(mesh.services) for mesh in (dev, stage, prod)] == [2, 2, 1]
    assert [len(mesh.rules) for mesh in (dev, stage, prod)] == [2, 1, 1]
    assert [len(mesh.proofs) for mesh in (dev, stage, prod)] == [0, 0, 1]
    assert [len(mesh.tests) for mesh in (dev, stage, prod)] == [1, 0, 0]
    assert [mesh.gateways[0].hosts for mesh in (dev, stage, prod)] == [("a.test",), ("a.test",), ("a.example",)]
    assert [mesh.services[0].ports[0].number for mesh in (dev, stage, prod)] == [8000, 80, 80]


def test_some_may_be_asked_for_and_come_in_the_order_of_the_mesh() -> None:
    found = resolve([document_of(POLICY)], environments=["prod", "dev"])

    assert [mesh.environment for mesh in found.meshes] == ["dev", "prod"]


def test_an_environment_that_is_not_listed_is_a_finding() -> None:
    found = resolve([document_of(POLICY)], environments=["qa"])

    assert [one.code for one in found.diagnostics] == ["MP210"]
    assert found.meshes == ()


def test_a_name_of_another_environment() -> None:
    text = MESH + "service load { env dev }\nservice a { port http 80 }\nallow load -> a"
    (found,) = resolve([document_of(text)]).diagnostics

    assert found.code == "MP204"
    assert found.notes == ("in environment `stage`, `prod`",)
    assert found.labels[1].text == "it is declared here, for other environments"


def test_a_finding_of_all_environments_is_said_once_and_without_a_note() -> None:
    (found,) = resolve([document_of(MESH + "service a { port http 80 }\nallow b -> a")]).diagnostics

    assert (found.code, found.notes) == ("MP201", ())


def test_one_name_may_be_declared_for_each_environment() -> None:
    text = MESH + "service a { port http 80 env dev }\nservice a { port http 81 env stage, prod }"
    meshes = resolve([document_of(text)]).meshes

    assert [mesh.services[0].ports[0].number for mesh in meshes] == [80, 81, 81]


def test_two_declarations_of_one_environment_are_a_finding() -> None:
    text = MESH + "service a { env dev, prod }\nservice a { env stage, prod }"
    (found,) = resolve([document_of(text)]).diagnostics

    assert (found.code, found.notes) == ("MP202", ("in environment `prod`",))


def test_two_rules_of_one_name_in_two_environments() -> None:
    text = MESH + "service a { port http 80 }\nallow r: a -> a { env dev }\ndeny r: a -> a { env prod }"
    dev, stage, prod = resolve([document_of(text)]).meshes

    assert [[rule.effect.value for rule in mesh.rules] for mesh in (dev, stage, prod)] == [["allow"], [], ["deny"]]


def test_a_tag_of_another_environment_is_known_and_empty() -> None:
    text = MESH + "service a { tags t env dev }\nzone z = tagged t"
    found = resolve([document_of(text)])

    assert found.diagnostics == ()
    assert [mesh.zones[0].destinations for mesh in found.meshes] == [("a",), (), ()]
