"""TOML tables, read strictly: a key is known, of its type and within its bounds, or there is an error with a place."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


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
