"""JSON with places. YAML's own reader is not enough for it: it takes no surrogate pairs and no long keys."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from meshproof.targets.common.tree import Placed, TreeBuilder, TreeError, Value

_TOKEN = re.compile(
    r'[ \t\r\n]*(?:(?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")|(?P<sign>[{}\[\],:])'
    r"|(?P<word>true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)(?![\w.+-])|(?P<end>\Z))"
)
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}
_LONGEST = 400  # digits of a number


def parse(text: str, file: str) -> tuple[Placed, ...]:
    """The values of a text that holds one JSON value after the other. Raises `TreeError` for what is no JSON."""
    reader = _Reader(text, file)
    reader.read()
    return tuple(reader.builder.trees)


class _Reader:
    """One pass over the tokens. `expected` says what may come: a value, a key, a colon, a comma or an end."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.builder = TreeBuilder(file)
        self._closers: list[str] = []
        self._expected = "value"
        self._is_fresh = False  # just after an opening bracket, where it may be closed at once

    def read(self) -> None:
        position = 0
        while True:
            match = _TOKEN.match(self.text, position)
            if match is None:
                self._refuse("this is no JSON", self._visible(position))
            if match["end"] is not None:
                break
            group = match.lastgroup or ""
            self._token(group, match[group], match.start(group), match.end(group))
            position = match.end()
        if self._closers:
            self._refuse(f"the text ends before `{self._closers[-1]}`", len(self.text))

    def _token(self, group: str, token: str, start: int, end: int) -> None:
        if group == "sign":
            self._sign(token, start, end)
            return
        value = self._string(token, start) if group == "string" else self._word(token)
        if self._expected == "key":
            if not isinstance(value, str):
                self._refuse("a key is a string", start)
            self.builder.key(value, start, end)
            self._go_on("colon")
        elif self._expected == "value":
            self.builder.scalar(value, value if isinstance(value, str) else token, start, end)
            self._after_value()
        else:
            self._refuse(f"a {self._expected} is expected", start)

    def _sign(self, sign: str, start: int, end: int) -> None:
        if sign in "{[" and self._expected == "value":
            self.builder.open(start, is_map=sign == "{")
            self._closers.append("}" if sign == "{" else "]")
            self._go_on("key" if sign == "{" else "value", is_fresh=True)
        elif self._closers and sign == self._closers[-1] and (self._is_fresh or self._expected == "comma"):
            self.builder.close(end)
            self._closers.pop()
            self._after_value()
        elif sign == ":" and self._expected == "colon":
            self._go_on("value")
        elif sign == "," and self._expected == "comma":
            self._go_on("key" if self._closers[-1] == "}" else "value")
        else:
            self._refuse(f"a {self._expected} is expected, not `{sign}`", start)

    def _after_value(self) -> None:
        self._go_on("comma" if self._closers else "value")

    def _go_on(self, expected: str, *, is_fresh: bool = False) -> None:
        self._expected, self._is_fresh = expected, is_fresh

    def _string(self, token: str, start: int) -> str:
        if "\\" not in token:
            return token[1:-1]
        try:
            found: str = json.loads(token)
        except ValueError:
            self._refuse("a string holds an escape that JSON does not have", start)
        if not found.isascii() and any("\ud800" <= char <= "\udfff" for char in found):
            self._refuse("half of a surrogate pair is no character", start)
        return found

    @staticmethod
    def _word(token: str) -> Value:
        if token in _WORDS:
            return _WORDS[token]
        if len(token) <= _LONGEST and token.lstrip("-").isdecimal():
            return int(token)
        return float(token)

    def _visible(self, position: int) -> int:
        while self.text[position : position + 1] in {" ", "\t", "\r", "\n"}:
            position += 1
        return position

    def _refuse(self, message: str, start: int) -> NoReturn:
        raise TreeError(message, start, min(start + 1, len(self.text)))
