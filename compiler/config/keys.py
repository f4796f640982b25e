"""What can be set, and how a value is read from a flag, a variable or a TOML file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

MEBIBYTE = 1024 * 1024


class Colour(StrEnum):
    """When to use colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Audit(StrEnum):
    """What `audit` rules are taken for."""

    LOGGED = "logged"
    """What they are: they decide nothing."""
    AS_ENFORCED = "as-enforced"
    """What they would be without the word `audit`."""


class Origin(StrEnum):
    """What is at a path: a policy of the language, or manifests of a mesh, by the name of the target they are for."""

    MESH = "mesh"
    ISTIO = "istio"
    APP_MESH = "app-mesh"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a run. `at` None is today; `timeout` is in seconds for each verdict."""

    at: date | None = None
    audit: Audit = Audit.LOGGED
    color: Colour = Colour.AUTO
    env: str | None = None
    fail_level: Severity = Severity.ERROR
    fast: bool = False
    origin: Origin | None = None
    ignore: tuple[str, ...] = ()
    jobs: int = 1
    max_file_bytes: int = 8 * MEBIBYTE
    max_policy_bytes: int = 64 * MEBIBYTE
    option: tuple[tuple[str, str], ...] = ()
    output: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    strict: bool = False
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the configuration; `parse` raises ValueError with a sentence about the value."""

    name: str
    help: str
    parse: Callable[[object], object]

    @property
    def field(self) -> str:
        """The field of `Settings`; `from` is a word of Python."""
        return "origin" if self.name == "from" else self.name.replace("-", "_")


def _date(raw: object) -> date:
    if isinstance(raw, date):
        return raw
    try:
        return datetime.strptime(str(raw), "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise ValueError(f"`{raw}` is no day as YYYY-MM-DD") from None


def _choice(kind: type[StrEnum]) -> Callable[[object], StrEnum]:
    def parse(raw: object) -> StrEnum:
        text = _text(raw)
        if text not in {member.value for member in kind}:
            raise ValueError(f"`{text}` is none of {', '.join(f'`{member.value}`' for member in kind)}")
        return kind(text)

    return parse


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError(f"`{raw}` is not a string")  # noqa: TRY004  the caller reports values, whatever their type
    return raw


def _switch(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    text = str(raw).lower()
    if text not in words:
        raise ValueError(f"`{raw}` is neither `true` nor `false`")
    return words[text]


def _list(raw: object) -> tuple[str, ...]:
    if isinstance(raw, str):
        raw = raw.split(",")
    if not isinstance(raw, list | tuple) or not all(isinstance(item, str) for item in raw):
        raise ValueError(f"`{raw}` is not a list of strings")
    return tuple(part.strip() for item in raw for part in item.split(",") if part.strip())


_CODE = re.compile(r"MP[0-9]{1,3}")


def _codes(raw: object) -> tuple[str, ...]:
    codes = _list(raw)
    for code in codes:
        if not _CODE.fullmatch(code):
            raise ValueError(f"`{code}` is neither a code such as `MP301` nor the beginning of one such as `MP3`")
    return codes


def _outputs(raw: object) -> tuple[str, ...]:
    if isinstance(raw, str):
        raw = raw.split(",")
    if not isinstance(raw, list | tuple) or not all(isinstance(item, str) for item in raw):
        raise ValueError(f"`{raw}` is not a list of strings")
    return tuple(raw)


def _options(raw: object) -> tuple[tuple[str, str], ...]:
    if isinstance(raw, dict):
        return tuple(sorted(_flat(raw, "")))
    pairs = []
    for item in _outputs(raw):
        name, separator, value = item.partition("=")
        if not separator or not name:
            raise ValueError(f"`{item}` is not KEY=VALUE")
        pairs.append((name, value))
    return tuple(sorted(pairs))


def _flat(table: dict[object, object], prefix: str) -> list[tuple[str, str]]:
    """The pairs of a table; TOML reads `istio.trust-domain = "x"` as a table in a table."""
    pairs: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            pairs += _flat(value, f"{prefix}{name}.")
        else:
            pairs.append((f"{prefix}{name}", _text(value)))
    return pairs


def _positive(raw: object) -> int:
    try:
        number = int(str(raw))
    except ValueError:
        raise ValueError(f"`{raw}` is not a whole number") from None
    if number < 1:
        raise ValueError(f"`{raw}` is less than 1")
    return number


_SIZE = re.compile(r"([1-9][0-9]*)\s*(|B|KiB|MiB|GiB)")
_UNITS = {"": 1, "B": 1, "KiB": 1024, "MiB": MEBIBYTE, "GiB": 1024 * MEBIBYTE}


def _size(raw: object) -> int:
    match = _SIZE.fullmatch(str(raw))
    if match is None:
        raise ValueError(f"`{raw}` is no size such as `8 MiB`")
    return int(match[1]) * _UNITS[match[2]]


_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|)")
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0}


def _duration(raw: object) -> float:
    match = _DURATION.fullmatch(str(raw))
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if seconds <= 0:
        raise ValueError(f"`{raw}` is no duration such as `10s` or `500ms`")
    return seconds


KEYS: tuple[Key, ...] = (
    Key("at", "the day on which the policy is judged, as YYYY-MM-DD; today if it is left out", _date),
    Key("audit", "what `audit` rules are taken for: `logged` or `as-enforced`", _choice(Audit)),
    Key("color", "when to use colour: `auto`, `always` or `never`", _choice(Colour)),
    Key("env", "the environment to judge, where the policy declares environments", _text),
    Key("fail-level", "the least severity that ends with status 1: `error`, `warning` or `info`", _choice(Severity)),
    Key("fast", "whether to leave the solver out", _switch),
    Key("from", "what a folder with policies and manifests is read as: `mesh` or `istio`", _choice(Origin)),
    Key("ignore", "codes, or beginnings of codes, that are not reported", _codes),
    Key("jobs", "how many processes may prove at a time", _positive),
    Key("max-file-bytes", "the largest file that is read, such as `8 MiB`", _size),
    Key("max-policy-bytes", "the largest policy that is read, all files together, such as `64 MiB`", _size),
    Key("option", "options of targets, KEY=VALUE", _options),
    Key("output", "formats of the report and where they go, FORMAT or FORMAT=FILE", _outputs),
    Key("select", "codes, or beginnings of codes, that alone are reported", _codes),
    Key("strict", "whether a claim that nothing could break is an error", _switch),
    Key("timeout", "how long one verdict may take, such as `10s`", _duration),
)
"""Every key, by name."""
