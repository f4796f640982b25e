"""Regular expressions of paths that are templates: what `import istio` makes of templates is compiled to them again.

Of what stands in normal paths the operators of templates take no `[` and no `]`. What they do not take besides is
percent-encoded before they see it.
"""

from __future__ import annotations

import re

from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.compiler.patterns.template import ONE, REST, is_template, parse_template

_ONE, _REST = r"[^/\[\]]+", r"[^\[\]]*"
_OPERATOR = re.compile(f"{re.escape(_ONE)}|{re.escape(_REST)}")
_SPECIAL = frozenset("\\.+*?()|[]{}^$")


def template_of(expression: str) -> str | None:
    """The template that matches exactly what the expression does; None if it is not written as one."""
    pieces: list[str] = []
    end = 0
    for found in _OPERATOR.finditer(expression):
        pieces += [expression[end : found.start()], ONE if found[0] == _ONE else REST]
        end = found.end()
    literals = [_unquoted(piece) for piece in (*pieces[::2], expression[end:])]
    if any(one is None for one in literals):
        return None
    operators = [*pieces[1::2], ""]
    text = "".join(f"{literal}{operator}" for literal, operator in zip(literals, operators, strict=True))
    try:
        return parse_template(text).text if is_template(text) else None
    except PatternRefused:
        return None


def _unquoted(text: str) -> str | None:
    """The text that a piece of an expression matches alone; None if it is no literal."""
    found: list[str] = []
    chars = iter(text)
    for char in chars:
        if char == "\\":
            escaped = next(chars, "")
            if escaped not in _SPECIAL or not escaped:
                return None
            found.append(escaped)
        elif char in _SPECIAL:
            return None
        else:
            found.append(char)
    return "".join(found)
