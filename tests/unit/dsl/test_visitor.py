from __future__ import annotations

from meshproof.dsl.ast.sets import AtPort, Braces, Except, Named
from meshproof.dsl.ast.values import Name
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile
from meshproof.dsl.visitor import children, walk

A, B = Named(Name("a")), Named(Name("b"))


def test_children_are_the_nodes_directly_below_in_the_order_of_fields() -> None:
    assert list(children(Except(A, AtPort(B, Name("http"))))) == [A, AtPort(B, Name("http"))]
    assert list(children(Braces((B, A)))) == [B, A]
    assert list(children(Name("a"))) == []


def test_walking_names_every_node_once_parents_first() -> None:
    tree = Except(Braces((A, B)), A)

    assert [type(node).__name__ for node in walk(tree)] == [
        *("Except", "Braces", "Named", "Name", "Named", "Name"),
        *("Named", "Name"),
    ]


def test_a_deep_tree_is_walked_without_recursion() -> None:
    node: Named | Braces = A
    for _ in range(5000):
        node = Braces((node,))

    assert sum(1 for _ in walk(node)) == 5002


def test_a_whole_document_is_walked() -> None:
    document = parse(SourceFile("x", "allow a -> b { GET /x when has token }")).document

    kinds = [type(node).__name__ for node in walk(document)]

    assert kinds[0] == "Document"
    assert {"Rule", "Named", "HttpOperation", "PathPattern", "HasToken"} <= set(kinds)
