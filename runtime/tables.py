"""TOML tables, read strictly: a key is known, of its type and within its bounds, or there is an error with a place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

_MOST_BYTES = 1_048_576


class SettingError(Exception):
    """A file of settings is refused. The message is one lower-case sentence, after the place."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}" if place else message)


class Table:
    """One table; keys that nobody asks for are refused by `end`."""

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise SettingError(place, "a table is expected")
        self._members: dict[str, object] = value
        self._place = place
        self._known: set[str] = set()

    def place(self, key: str) -> str:
        """Where a key stands."""
        return f"{self._place}.{key}" if self._place else key

    def refuse(self, key: str, message: str) -> SettingError:
        """The error about a key."""
        return SettingError(self.place(key), message)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        self._known.add(key)
        return key in self._members

    def table(self, key: str) -> Table:
        """The table at a key, which may be left out if empty."""
        return Table(self._members[key] if self.has(key) else {}, self.place(key))

    def tables(self, key: str) -> Iterable[Table]:
        """The tables of an array."""
        value = self._needed(key)
        if not isinstance(value, list) or not value:
            raise self.refuse(key, f"at least one `[[{self.place(key)}]]` is expected")
        return [Table(one, f"{self.place(key)}[{index}]") for index, one in enumerate(value)]

    def keys(self) -> tuple[str, ...]:
        """All keys, of a table whose keys the user chooses."""
        self._known.update(self._members)
        return tuple(self._members)

    def text(self, key: str, default: str | None = None) -> str:
        """A string that is not empty."""
        if default is not None and not self.has(key):
            return default
        return self._text(self._needed(key), self.place(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """Strings that are not empty; none if left out."""
        if not self.has(key):
            return ()
        value = self._members[key]
        if not isinstance(value, list):
            raise self.refuse(key, "an array of strings is expected")
        return tuple(self._text(one, f"{self.place(key)}[{index}]") for index, one in enumerate(value))

    def number(self, key: str, bounds: tuple[int, int], default: int | None = None) -> int:
        """A whole number within its bounds."""
        if default is not None and not self.has(key):
            return default
        value = self._needed(key)
        if isinstance(value, bool) or not isinstance(value, int) or not bounds[0] <= value <= bounds[1]:
            raise self.refuse(key, f"a whole number from {bounds[0]} to {bounds[1]} is expected")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false if left out."""
        value = self._members[key] if self.has(key) else False
        if not isinstance(value, bool):
            raise self.refuse(key, "`true` or `false` is expected")
        return value

    def end(self) -> None:
        """Refuse what nobody asked for."""
        for key in self._members:
            if key not in self._known:
                close = get_close_matches(key, self._known, 1)
                raise self.refuse(key, "this key is not known" + (f", did you mean `{close[0]}`" if close else ""))

    def _needed(self, key: str) -> object:
        if not self.has(key):
            close = get_close_matches(key, self._members, 1)
            raise self.refuse(key, "it is missing" + (f"; is `{close[0]}` meant to be it" if close else ""))
        return self._members[key]

    @staticmethod
    def _text(value: object, place: str) -> str:
        if not isinstance(value, str) or not value or "\0" in value:
            raise SettingError(place, "a string that is not empty is expected")
        return value


def content_of(path: Path) -> bytes:
    """The bytes of a file of settings. Raises `SettingError`."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SettingError(str(path), f"it cannot be read: {error.strerror}") from None
    if len(content) > _MOST_BYTES:
        raise SettingError(str(path), f"it is larger than {_MOST_BYTES} bytes")
    return content


def root_table(content: bytes, path: Path) -> Table:
    """All of a file of settings. Raises `SettingError` with its path."""
    try:
        return Table(tomllib.loads(content.decode("utf-8")), "")
    except UnicodeDecodeError:
        raise SettingError(str(path), "it is not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingError(str(path), f"it is no TOML: {error}") from None
