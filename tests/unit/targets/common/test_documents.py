from __future__ import annotations

import pytest

from meshproof.targets.common.documents import BYTES_MAX, Documents, read_documents
from meshproof.targets.common.tree import Leaf, ListNode, MapNode, Placed, Value, is_same

Plain = Value | list["Plain"] | dict[str, "Plain"]


def plain(node: Placed) -> Plain:
    match node:
        case Leaf(value):
            return value
        case ListNode(items):
            return [plain(item) for item in items]
        case MapNode(entries):
            return {entry.key: plain(entry.value) for entry in entries}


def read(content: str | bytes, name: str = "a.yaml") -> Documents:
    return read_documents(name, content.encode() if isinstance(content, str) else content)


def trees(content: str | bytes, name: str = "a.yaml") -> list[Plain]:
    found = read(content, name)
    assert found.diagnostics == ()
    return [plain(tree) for tree in found.trees]


def refusal(content: str | bytes, name: str = "a.yaml") -> tuple[str, int, int, str]:
    """The code, line and column, and the message of the one finding; nothing of the file is taken."""
    found = read(content, name)
    assert found.trees == ()
    (one,) = found.diagnostics
    assert one.primary is not None
    place = found.source.position(one.primary.start)
    return one.code, place.line, place.column, one.message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", []),
        ("---\n---\n# nothing\n", []),
        ("a: 1\n---\nb: 2\n...\n", [{"a": 1}, {"b": 2}]),
        ("a: &x 1\nb: 2", [{"a": 1, "b": 2}]),
        ("{a: b, c: [1, 2]}", [{"a": "b", "c": [1, 2]}]),
        (
            '{"a": {"b": [1, -2.5, true, false, null, "x\\u00e9\\ud83d\\ude00"]}}',
            [{"a": {"b": [1, -2.5, True, False, None, "xé😀"]}}],
        ),
        ('{"a":1}\n{"b":2}\t{"c":{}}', [{"a": 1}, {"b": 2}, {"c": {}}]),
        ("\ufeffa: b\r\nc: d\r\n", [{"a": "b", "c": "d"}]),
        ("a: |\n  x\n  y\n", [{"a": "x\ny\n"}]),
        ("8080: x\ntrue: k\n1.5: z", [{"8080": "x", "true": "k", "1.5": "z"}]),
        ("a: !!str 1\nb: !!int '2'\nc: ! 3", [{"a": "1", "b": 2, "c": "3"}]),
        ("a: null\nb:\nc: ~", [{"a": None, "b": None, "c": None}]),
    ],
)
def test_documents_are_read(content: str, expected: list[Plain]) -> None:
    assert trees(content) == expected


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("yes", True),
        ("Off", False),
        ("y", True),
        ("08", 8.0),
        ("0777", 511),
        ("0o17", 15),
        ("-0x1F", -31),
        ("0b101", 5),
        ("1_000", 1000),
        ("1:30", "1:30"),
        ("22:22:22", "22:22:22"),
        ("2001-01-01", "2001-01-01"),
        ("1e3", "1e3"),
        ("1.5e+3", 1500.0),
        ("1.", 1.0),
        (".5", 0.5),
        (".inf", float("inf")),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("9" * 500, "9" * 500),
    ],
)
def test_bare_words_are_what_kubernetes_takes_them_for(word: str, value: Value) -> None:
    assert trees(f"a: {word}" if word != "-" else "a: '-'") == [{"a": value}]


@pytest.mark.parametrize(
    ("content", "code", "line", "column", "message"),
    [
        (b"a: \xff", "MP002", 1, 4, "byte 3 of `a.yaml` is no UTF-8"),
        ("é: ü\nb: [", "MP124", 2, 5, "this is no YAML: did not find expected node content"),
        ("a: &x 1\nb: *x", "MP124", 2, 4, "`*x` is an alias, which is not taken"),
        ("<<: {a: b}", "MP124", 1, 1, "`<<` merges mappings, which is not taken"),
        ("a:\n\t- b", "MP124", 2, 1, "a tab does not indent: YAML takes blanks alone"),
        ("a: 1\nb: 2\na: 3", "MP124", 3, 1, "the key `a` stands twice in one mapping"),
        ("a: {b: 1, b: 2}", "MP124", 1, 11, "the key `b` stands twice in one mapping"),
        ("? [a]\n: b", "MP124", 1, 3, "a key is no single value"),
        ("~: b", "MP124", 1, 1, "a key is empty"),
        ("a: !!python/object:os.system x", "MP124", 1, 4, "`tag:yaml.org,2002:python/object:os.system` is a tag"),
        ("a: !Ref x", "MP124", 1, 4, "`!Ref` is a tag that Kubernetes does not know"),
        ('a: "\x01"', "MP124", 1, 5, "the text holds a control character"),
        ("- a\n- b", "MP124", 1, 1, "a document is no object"),
        ("just text", "MP124", 1, 1, "a document is no object"),
        ("[" * 100_000, "MP124", 1, 201, "values are nested more than 200 deep"),
        ("{{ if .Values.x }}", "MP124", 1, 2, "a key is no single value"),
    ],
)
def test_what_is_refused_has_a_place(content: str | bytes, code: str, line: int, column: int, message: str) -> None:
    found = refusal(content)
    assert found[:3] == (code, line, column)
    assert found[3].startswith(message)


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        ('{"a": 1,}', 9, "a key is expected, not `}`"),
        ('{"a" 1}', 6, "a colon is expected"),
        ('{"a": 1 "b": 2}', 9, "a comma is expected"),
        ('{"a": 1', 8, "the text ends before `}`"),
        ('{"a": 01}', 7, "this is no JSON"),
        ('{"a": "\\x"}', 7, "a string holds an escape that JSON does not have"),
        ('{"a": "\\ud800"}', 7, "half of a surrogate pair is no character"),
        ('{"a": tru}', 7, "this is no JSON"),
        ('{"a": 1, "a": 2}', 10, "the key `a` stands twice in one mapping"),
        ("{1: 2}", 2, "a key is a string"),
        ("{'a': 2}", 2, "this is no JSON"),
        ('{"a": "x\ny"}', 7, "this is no JSON"),
        ("[" * 300, 201, "values are nested more than 200 deep"),
    ],
)
def test_json_files_are_json(content: str, column: int, message: str) -> None:
    code, line, found_column, found = refusal(content, "a.json")
    assert (code, line, found_column) == ("MP124", 1, column)
    assert found.startswith(message)


def test_a_file_that_is_too_large_is_not_looked_at() -> None:
    assert refusal(b" " * (BYTES_MAX + 1))[0] == "MP004"


def test_a_bomb_is_refused_at_its_first_alias() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert refusal("\n".join(lines))[:2] == ("MP124", 2)


def test_places_are_those_of_the_values() -> None:
    found = read("# head\na:\n  b: [x, 'y']\n\n  # a remark\nc: 😀\nd: 1\n")
    (tree,) = found.trees
    texts = {entry.key: found.source.text[entry.value.span.start : entry.value.span.end] for entry in tree.entries}
    assert texts == {"a": "b: [x, 'y']", "c": "😀", "d": "1"}
    inner = tree.at("a", "b")
    assert inner is not None
    assert found.source.position(inner.span.start).line == 3
    assert [found.source.text[entry.key_span.start : entry.key_span.end] for entry in tree.entries] == ["a", "c", "d"]


def test_json_has_places_too() -> None:
    found = read('{"a": [1,\n "b"]}')
    (tree,) = found.trees
    items = tree.get("a")
    assert isinstance(items, ListNode)
    assert [found.source.position(item.span.start).line for item in items.items] == [1, 2]


@pytest.mark.parametrize(
    ("one", "other", "is_equal"),
    [
        ("a: 1\nb: [x]", "b: ['x']\na: 1", True),
        ("a: 1", "a: '1'", False),
        ("a: 1", "a: true", False),
        ("a: [1, 2]", "a: [2, 1]", False),
        ("a: [1]", "a: [1, 2]", False),
        ("a: {}", "a: []", False),
        ("a: 1", "b: 1", False),
    ],
)
def test_values_are_compared_wherever_they_stand(one: str, other: str, is_equal: bool) -> None:
    assert is_same(read(one).trees[0], read(other).trees[0]) is is_equal


def test_what_is_not_there_is_none() -> None:
    (tree,) = read("a: {b: null}\nc: 1").trees
    assert tree.at("a", "b") is None
    assert tree.at("c", "d") is None
    assert tree.entry("x") is None
    entry = tree.entry("c")
    assert entry is not None
    assert entry.key == "c"
