"""Functions of templates are worked out as far as the template says it all, and no further."""

from __future__ import annotations

import pytest

from meshproof.dsl.source import Span
from meshproof.targets.appmesh.lift.intrinsics import CHAIN_MAX, TAGS, Scope, UnsettledError
from meshproof.targets.appmesh.settled import is_settled
from meshproof.targets.common.tree import Leaf, ListNode, MapNode, Placed
from meshproof.targets.common.yaml import parse

TEMPLATE = """
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsTest: !Not [!Condition IsProd]
  IsOpen: !Equals [!Ref Unknown, yes]
  IsEither: !Or [!Condition IsProd, !Condition IsOpen]
  IsBoth: !And [!Condition IsTest, !Condition IsOpen]
  IsRound: !Condition IsRound
Mappings:
  Ports: {prod: {web: 8443}}
"""


def _parsed(text: str) -> MapNode:
    (found,) = parse(text, "t.yaml", tags=TAGS)
    assert isinstance(found, MapNode)
    return found


def _plain(tree: Placed | None) -> object:
    match tree:
        case None:
            return None
        case Leaf(value):
            return value
        case ListNode(items):
            return [_plain(item) for item in items]
        case MapNode(entries):
            return {entry.key: _plain(entry.value) for entry in entries}


def _attribute(name: str, attribute: str, span: Span) -> Placed | None:
    return Leaf(text := f"{name}-name", text, span) if (name, attribute) == ("Node", "Name") else None


def _scope() -> Scope:
    tree = _parsed(TEMPLATE)
    names = _parsed("{Stage: prod, Names: [a, b]}")
    parameters = {entry.key: entry.value for entry in names.entries}
    mappings, conditions = tree.get("Mappings"), tree.get("Conditions")
    assert isinstance(mappings, MapNode)
    assert isinstance(conditions, MapNode)
    return Scope(parameters, mappings, conditions, _attribute)


def _value(text: str) -> object:
    found = _scope().value(_parsed(f"at: {text}"))
    assert isinstance(found, MapNode)
    return _plain(found.get("at"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref Stage", "prod"),
        ("{Ref: Stage}", "prod"),
        ("!Ref Names", ["a", "b"]),
        ("!Ref Unknown", "${Unknown}"),
        ("!Ref AWS::NoValue", None),
        ("[1, !Ref AWS::NoValue]", [1]),
        ("!GetAtt Node.Name", "Node-name"),
        ("!GetAtt [Node, Name]", "Node-name"),
        ("!GetAtt Node.Arn", "${Node.Arn}"),
        ('!Sub "${Stage}.${Node.Name}.x"', "prod.Node-name.x"),
        ('!Sub ["${a}-${Stage}", {a: !Ref Names0}]', "${Names0}-prod"),
        ('!Sub "${!Stage}"', "${Stage}"),
        ("!Join ['.', [a, !Ref Stage]]", "a.prod"),
        ("!Join ['.', !Ref Names]", "a.b"),
        ("!If [IsProd, a, b]", "a"),
        ("!If [IsTest, {x: 1}, !Ref AWS::NoValue]", None),
        ("!If [IsEither, a, b]", "a"),
        ("!If [IsBoth, a, b]", "b"),
        ("!FindInMap [Ports, !Ref Stage, web]", 8443),
        ("!Select [1, !Ref Names]", "b"),
        ("!Select [0, !Split ['/', a/b]]", "a"),
        ("!ImportValue x", "${Fn::ImportValue at 4}"),
    ],
)
def test_what_is_said_is_worked_out(text: str, value: object) -> None:
    assert _value(text) == value


@pytest.mark.parametrize(
    ("text", "message", "advice"),
    [
        ("!If [IsOpen, a, b]", "whether `${Unknown}` is `yes` is not known", "app-mesh.parameter.Unknown=VALUE"),
        ("!If [Nowhere, a, b]", "there is no condition `Nowhere`", ""),
        ("!If [IsRound, a, b]", "`condition IsRound` refers to itself", ""),
        ("!If [IsProd, a]", "`Fn::If` takes a list of 3 values", ""),
        ("!FindInMap [Ports, prod, pay]", "there is no `Ports.prod.pay` among the mappings", ""),
        ("!Select [2, !Ref Names]", "there is no entry 2 among 2", ""),
        ("!Ref [a]", "a text is wanted here", ""),
        (f"!Join ['', [{', '.join(['x' * 100] * 41)}]]", "the text comes to more than 4096 characters", ""),
    ],
)
def test_what_cannot_be_worked_out_is_told_with_its_place(text: str, message: str, advice: str) -> None:
    with pytest.raises(UnsettledError) as caught:
        _value(text)
    assert caught.value.message == message
    assert advice in (caught.value.advice or "")
    assert caught.value.span.file == "t.yaml"


def test_references_end() -> None:
    """A chain of conditions as long as a template may have them costs no stack."""
    links = "\n".join(f"  C{at}: !Condition C{at + 1}" for at in range(CHAIN_MAX * 2))
    conditions = _parsed(f"Conditions:\n{links}").get("Conditions")
    assert isinstance(conditions, MapNode)
    scope = Scope({}, None, conditions, _attribute)
    with pytest.raises(UnsettledError, match=f"more than {CHAIN_MAX} references"):
        scope.holds("C0", conditions.span)


def test_a_text_with_an_unknown_in_it_is_not_settled() -> None:
    assert is_settled("a.b")
    assert not is_settled("a.${Stage}")
