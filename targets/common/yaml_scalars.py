"""What a bare word of YAML is to Kubernetes, whose reader (go-yaml 2 by way of sigs.k8s.io/yaml) knows YAML 1.1.

Other than YAML 1.1 asks for, it takes no base-60 numbers, and days stay strings.
"""

from __future__ import annotations

import re

from meshproof.targets.common.tree import Value

_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_NUMERIC = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+][0-9]+)?|[-+]?[0-9]+\.(?:[eE][-+][0-9]+)?")
_OCTAL = re.compile(r"([-+]?)0[oO]?([0-7]+)")
_LONGEST = 400  # digits that a number may have: beyond that it is text, and Python would take long over it


def plain_value(text: str) -> Value:
    """The value of a scalar without quotes and without a tag."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC or len(text) > _LONGEST:
        return text
    digits = text.replace("_", "")
    if _INTEGER.fullmatch(digits):
        octal = _OCTAL.fullmatch(digits)
        return int(octal[1] + octal[2], 8) if octal else int(digits, 0)
    if _FLOAT.fullmatch(digits):
        return float(digits)
    return text


def key_text(value: Value, text: str) -> str | None:
    """A scalar as the key of a mapping, which is a string in JSON; None where it can be none."""
    match value:
        case None:
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            return text
