"""Names, strings, numbers, days and reasons."""

from __future__ import annotations

import datetime as dt

from meshproof.dsl.ast.reasons import Reasons
from meshproof.dsl.ast.values import Date, Duration, DurationUnit, Name, Number, Percent, StringValue, Text, ValueRef
from meshproof.dsl.parser.lexer import MAX_NAME_LENGTH
from meshproof.dsl.tree_to_ast.base import Builder, Setting, Settings
from meshproof.dsl.tree_to_ast.strings import bad_escapes, day, decode, last_day

MAX_NUMBER = 2**31 - 1
_MAX_DIGITS = 10


class WordsBuilder(Builder):
    """The productions of one word or a list of words."""

    def word(self, start: int, end: int, text: str) -> Name:
        return Name(text, span=self.span(start, end))

    def bare_name(self, start: int, end: int, text: str) -> Name:
        if len(text) > MAX_NAME_LENGTH:
            span = self.span(start, end)
            self.find("MP105", f"a name has {len(text)} characters", span, "too long", advice="63 are the most")
        return Name(text, span=self.span(start, end))

    def quoted_name(self, start: int, end: int, quoted: str) -> Name:
        name = Name(self.decoded(start, quoted), span=self.span(start, end))
        if not name.text:
            self.find("MP105", "a name is empty", name.span, "no name", advice="write what it is called")
        return name

    def text_value(self, start: int, end: int, quoted: str) -> Text:
        return Text(self.decoded(start, quoted), span=self.span(start, end))

    def decoded(self, start: int, quoted: str) -> str:
        """What a string says; its escapes are judged."""
        for left, right in bad_escapes(quoted):
            span = self.span(start + left, start + right)
            advice = 'a string knows `\\"`, `\\\\` and `\\u{…}` with the number of a character'
            self.find("MP109", f"`{quoted[left:right]}` is no escape", span, "not an escape", advice=advice)
        return decode(quoted)

    def value_ref(self, start: int, end: int, text: str) -> ValueRef:
        return ValueRef(text[1:], span=self.span(start, end))

    def number(self, start: int, end: int, text: str) -> Number:
        return Number(self._integer(start, text), span=self.span(start, end))

    def percent(self, start: int, end: int, text: str) -> Percent:
        value = self._integer(start, text[:-1])
        if value > 100:  # noqa: PLR2004 - a percent
            advice = "`100%` is the whole"
            self.find("MP110", f"`{text}` is more than the whole", self.span(start, end), "too much", advice=advice)
            value = 100
        return Percent(value, span=self.span(start, end))

    def duration(self, start: int, end: int, text: str) -> Duration:
        digits = text.rstrip("msh")
        amount = self._integer(start, digits)
        return Duration(amount, DurationUnit(text[len(digits) :]), span=self.span(start, end))

    def _integer(self, start: int, digits: str) -> int:
        value = int(digits) if len(digits) <= _MAX_DIGITS else MAX_NUMBER + 1
        if value > MAX_NUMBER:
            span, advice = self.span(start, start + len(digits)), f"write {MAX_NUMBER} at most"
            self.find("MP110", "a number is too large", span, "too large", advice=advice)
            return MAX_NUMBER
        return value

    def date(self, start: int, end: int, text: str) -> Date:
        value = day(text)
        if value is None:
            advice = last_day(text) or "write a day as YYYY-MM-DD"
            message = f"`{text}` is no day of the calendar"
            self.find("MP112", message, self.span(start, end), "there is no such day", advice=advice)
        return Date(value or dt.date.max, span=self.span(start, end))

    def names(self, _start: int, _end: int, *names: Name) -> tuple[Name, ...]:
        return names

    def strings(self, _start: int, _end: int, *strings: StringValue) -> tuple[StringValue, ...]:
        return strings

    def texts(self, _start: int, _end: int, *texts: Text) -> tuple[Text, ...]:
        return texts

    # ---- reasons

    def because(self, start: int, end: int, text: Text) -> Setting:
        return Setting("because", text, self.span(start, end))

    def owner(self, start: int, end: int, text: Text) -> Setting:
        return Setting("owner", text, self.span(start, end))

    def until(self, start: int, end: int, date: Date) -> Setting:
        return Setting("until", date, self.span(start, end))

    def env(self, start: int, end: int, names: tuple[Name, ...]) -> Setting:
        return Setting("env", names, self.span(start, end))

    def reasons(self, _start: int, _end: int, *entries: Setting) -> Reasons:
        return Settings(self, entries).reasons()
