"""Values of settings: read from text or TOML, or refused with a sentence."""

from __future__ import annotations

from datetime import date

import pytest

from meshproof.compiler.config.keys import KEYS, Audit, Settings
from meshproof.dsl.diagnostic import Severity


def parse(name: str, raw: object) -> object:
    return next(key for key in KEYS if key.name == name).parse(raw)


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("at", "2026-11-23", date(2026, 11, 23)),
        ("at", date(2026, 11, 23), date(2026, 11, 23)),
        ("audit", "as-enforced", Audit.AS_ENFORCED),
        ("fail-level", "warning", Severity.WARNING),
        ("fast", "yes", True),
        ("fast", False, False),
        ("ignore", "MP305, MP3", ("MP305", "MP3")),
        ("ignore", ["MP305"], ("MP305",)),
        ("jobs", "4", 4),
        ("jobs", 2, 2),
        ("max-file-bytes", "8 MiB", 8 * 1024 * 1024),
        ("max-file-bytes", 100, 100),
        ("option", ("istio.trust-domain=a=b",), (("istio.trust-domain", "a=b"),)),
        ("option", {"istio": {"trust-domain": "x"}}, (("istio.trust-domain", "x"),)),
        ("output", ["json=out.json", "human"], ("json=out.json", "human")),
        ("timeout", "500ms", 0.5),
        ("timeout", "2m", 120.0),
        ("timeout", 3, 3.0),
    ],
)
def test_a_value_is_read(name: str, raw: object, value: object) -> None:
    assert parse(name, raw) == value


@pytest.mark.parametrize(
    ("name", "raw", "sentence"),
    [
        ("at", "2026-02-30", "`2026-02-30` is no day as YYYY-MM-DD"),
        ("at", 20261123, "`20261123` is no day as YYYY-MM-DD"),
        ("at", "20261123", "`20261123` is no day as YYYY-MM-DD"),
        ("audit", "enforced", "`enforced` is none of `logged`, `as-enforced`"),
        ("fail-level", 3, "`3` is not a string"),
        ("fast", "perhaps", "`perhaps` is neither `true` nor `false`"),
        ("ignore", "X301", "`X301` is neither a code such as `MP301` nor the beginning of one such as `MP3`"),
        ("ignore", [1], "`[1]` is not a list of strings"),
        ("jobs", "0", "`0` is less than 1"),
        ("jobs", "many", "`many` is not a whole number"),
        ("max-file-bytes", "8 parsecs", "`8 parsecs` is no size such as `8 MiB`"),
        ("option", ("trust",), "`trust` is not KEY=VALUE"),
        ("output", [1], "`[1]` is not a list of strings"),
        ("timeout", "soon", "`soon` is no duration such as `10s` or `500ms`"),
        ("timeout", "0s", "`0s` is no duration such as `10s` or `500ms`"),
    ],
)
def test_another_value_is_refused(name: str, raw: object, sentence: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  the sentence is compared below
        parse(name, raw)

    assert str(refusal.value) == sentence


def test_every_setting_has_a_key_and_every_key_a_setting() -> None:
    assert tuple(key.field for key in KEYS) == Settings.__slots__


def test_keys_are_sorted_and_explained() -> None:
    names = [key.name for key in KEYS]

    assert names == sorted(names)
    assert all(key.help for key in KEYS)
