"""YAML that every reader takes as it was meant, with the same bytes for the same value.

Kubernetes reads YAML 1.1 in part, other tools 1.2, and both guess types from plain words: `1e3`, `on` and `08` become
numbers and booleans in one reader or the other. So a string is written plain only if no reader can take it for
something else, and in double quotes otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

import yaml

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
