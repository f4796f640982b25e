"""YAML that every reader takes as it was meant, with the same bytes for the same value; and YAML that others wrote.

Kubernetes reads YAML 1.1 in part, other tools 1.2, and both guess types from plain words: `1e3`, `on` and `08` become
numbers and booleans in one reader or the other. So a string is written plain only if no reader can take it for
something else, and in double quotes otherwise. What is read keeps its places, and has no aliases: they are refused,
since a few lines of them stand for more than any memory holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TypeAlias

import yaml

from meshproof.dsl.source import Span
from meshproof.targets.common import tree
from meshproof.targets.common.yaml_scalars import key_text, plain_value

Value: TypeAlias = "str | int | float | bool | Mapping[str, Value] | Iterable[Value] | None"
"""What can be written. Mappings keep the order of their keys, other iterables become sequences."""

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_KEYWORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"))
"""YAML 1.1's words (yaml.org/type/bool.html, null.html, float.html), compared without case, and what readers add."""

_WIDTH = 1 << 20  # no line is ever folded: a fold inside quotes is legal, but a diff of it is unreadable


def is_plain_safe(text: str) -> bool:
    """Whether every YAML reader takes the bare word for this string."""
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _KEYWORDS


class Block(str):
    """Text of several lines that is written as a literal block, for people to read."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  the signature is PyYAML's
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, indentless=False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain_safe(text) else '"')


def _represent_block(dumper: yaml.SafeDumper, text: Block) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(Block, _represent_block)


def _plain(value: Value) -> object:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value]


def dump(documents: Iterable[Value]) -> bytes:
    """The documents as one UTF-8 (in fact ASCII) stream: `---` between them, LF, a line end at the end, no aliases."""
    text = yaml.dump_all(
        [_plain(document) for document in documents],
        Dumper=_Dumper,
        default_flow_style=False,
        sort_keys=False,
        allow_unicode=False,
        width=_WIDTH,
        line_break="\n",
    )
    return text.encode("ascii")


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same events, ten times faster, where libyaml is there
_CORE = "tag:yaml.org,2002:"
_TEXT = frozenset((f"{_CORE}str", "!"))
_GUESSED = frozenset(f"{_CORE}{name}" for name in ("int", "float", "bool", "null"))
_TAGS = frozenset((*_TEXT, *_GUESSED, f"{_CORE}map", f"{_CORE}seq"))
_PLAIN_STYLES = (None, "")  # PyYAML's word, and libyaml's
_TAB = "a tab does not indent: YAML takes blanks alone"


Tags: TypeAlias = "Mapping[str, str]"
"""Short forms of mappings: `!Ref x` stands for `{Ref: x}` where the tag `!Ref` is given the key `Ref`."""

_NO_TAGS: Tags = {}


def parse(text: str, file: str, at: Span | None = None, tags: Tags = _NO_TAGS) -> tuple[tree.Placed, ...]:
    """The documents of a YAML stream, empty ones left out. `file` is for the places.

    For a text inside of another one `at` is the one place that all its parts have. Raises `TreeError` for what is no
    YAML, and for what no honest manifest needs: aliases, merge keys, foreign tags that are not among `tags`.
    """
    builder = tree.TreeBuilder(file, at)
    taker = _Tagged(builder, tags)
    take = taker.take if tags else partial(_take, builder)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            take(event)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text) from None
    except yaml.reader.ReaderError as error:
        message = "the text holds a control character, or one that YAML does not take"
        raise tree.TreeError(message, error.position, error.position + 1) from None
    return tuple(found for found in builder.trees if not (isinstance(found, tree.Leaf) and found.value is None))


class _Tagged:
    """Takes events, and writes out what short tags stand for."""

    def __init__(self, builder: tree.TreeBuilder, tags: Tags) -> None:
        self._builder = builder
        self._tags = tags
        self._wraps: list[bool] = []  # for each open collection, whether a mapping was opened around it

    def take(self, event: yaml.Event) -> None:
        """As `_take` does, but for tags that are known."""
        if isinstance(event, yaml.CollectionEndEvent):
            _take(self._builder, event)
            if self._wraps.pop():
                self._close()
            return
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            _take(self._builder, event)
            return
        key = None if event.tag is None else self._tags.get(event.tag)
        if key is not None:
            start, end = _place(event)
            self._builder.open(start, is_map=True)
            self._builder.key(key, start, min(end, start + len(event.tag or "")))
            event.tag = None
        _take(self._builder, event)
        if isinstance(event, yaml.CollectionStartEvent):
            self._wraps.append(key is not None)
        elif key is not None:
            self._close()

    def _close(self) -> None:
        end = self._builder.last_end()
        self._builder.close(0 if end is None else end)


def _take(builder: tree.TreeBuilder, event: yaml.Event) -> None:
    """Ask for what is frequent first: a file of a mesh holds tens of thousands of these."""
    if isinstance(event, yaml.ScalarEvent):
        _take_scalar(builder, event)
    elif isinstance(event, yaml.CollectionEndEvent):
        start, end = _place(event)
        # The end of a block is told at the next token; the end of what it holds is where people see it.
        last = builder.last_end() if start == end else None
        builder.close(end if last is None else last)
    elif isinstance(event, yaml.CollectionStartEvent):
        start, end = _place(event)
        _check_tag(event.tag, start, end)
        builder.open(start, is_map=isinstance(event, yaml.MappingStartEvent))
    elif isinstance(event, yaml.AliasEvent):
        advice = "write out what it stands for, for instance with `yq 'explode(.)'`"
        raise tree.TreeError(f"`*{event.anchor}` is an alias, which is not taken", *_place(event), advice)


def _take_scalar(builder: tree.TreeBuilder, event: yaml.ScalarEvent) -> None:
    start, end = _place(event)
    text: str = event.value
    if event.tag is None:
        is_text = event.style not in _PLAIN_STYLES
    else:
        _check_tag(event.tag, start, end)
        is_text = event.tag in _TEXT or (event.style not in _PLAIN_STYLES and event.tag not in _GUESSED)
    value = text if is_text else plain_value(text)
    if not builder.is_key_next:
        builder.scalar(value, text, start, end)
        return
    key = key_text(value, text)
    if key is None:
        raise tree.TreeError("a key is empty", start, end)
    if key == "<<" and not is_text:
        raise tree.TreeError("`<<` merges mappings, which is not taken", start, end, "write out what it merges")
    builder.key(key, start, end)


def _place(event: yaml.Event) -> tuple[int, int]:
    start, end = event.start_mark, event.end_mark
    return (0, 0) if start is None or end is None else (start.index, end.index)


def _check_tag(tag: str | None, start: int, end: int) -> None:
    if tag is not None and tag not in _TAGS:
        raise tree.TreeError(f"`{tag}` is a tag that Kubernetes does not know", start, end)


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> tree.TreeError:
    mark = error.problem_mark or error.context_mark
    position = 0 if mark is None else min(mark.index, len(text))
    if text[position : position + 1] == "\t":
        return tree.TreeError(_TAB, position, position + 1)
    problem = (error.problem or "it ends too early").lower()
    return tree.TreeError(f"this is no YAML: {problem}", position, min(position + 1, len(text)))
