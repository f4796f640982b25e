"""What a test compares a string with. Matching is in `semantics.matching`, exact classes in `patterns`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exact:
    """The whole string. `ignore_case` compares ASCII letters without case (hosts)."""

    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Prefix:
    """A string that starts with `value`; the empty prefix takes every string."""

    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Suffix:
    """A string that ends with `value`."""

    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Segments:
    """A path pattern of the language: literals, `*` or `{name}` for one segment, `**` last for any rest."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Template:
    """An Istio path template with `{*}` and `{**}` (Envoy `uri_template`)."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Regex:
    """An RE2 expression that matches the whole string."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Present:
    """Any value, the empty one too; false only of what is absent."""


@dataclass(frozen=True, slots=True)
class Cidr:
    """An address block in canonical text, `10.0.0.0/8` or `2001:db8::/32`; for addresses alone."""

    network: str


Matcher = Exact | Prefix | Suffix | Segments | Template | Regex | Present | Cidr
