"""Sets as text, for messages and reports: as the formatter writes them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, assert_never

from meshproof.dsl.ast.sets import (
    AllServices,
    Anyone,
    AtPort,
    Authenticated,
    Braces,
    Except,
    Identity,
    Internet,
    Intersection,
    Named,
    NamespaceSet,
    Plaintext,
    Tagged,
    Union,
)
from meshproof.dsl.ast.values import Name, Number, Text, ValueRef

if TYPE_CHECKING:
    from meshproof.dsl.ast.sets import SetExpression

_BARE = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")


def written_word(word: Name | Number | Text | ValueRef) -> str:
    """A name, number, string or value reference as it stands in a policy."""
    match word:
        case Name(text):
            return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
        case Number(value):
            return str(value)
        case Text(value):
            return json.dumps(value, ensure_ascii=False)
        case ValueRef(name):
            return f"${name}"
        case _ as never:
            assert_never(never)


def written_set(written: SetExpression) -> str:  # noqa: C901, PLR0911, PLR0912  one case a form
    """A set as it stands in a policy, on one line."""
    match written:
        case Named(name):
            return written_word(name)
        case NamespaceSet(namespace, domain):
            return f"namespace {written_word(namespace)}" + (f" of {written_word(domain)}" if domain else "")
        case Tagged(tag):
            return f"tagged {written_word(tag)}"
        case Identity(uri):
            return f"identity {written_word(uri)}"
        case AllServices():
            return "all"
        case Authenticated():
            return "authenticated"
        case Plaintext():
            return "plaintext"
        case Anyone():
            return "anyone"
        case Internet():
            return "internet"
        case Braces(items):
            return "{ " + ", ".join(map(written_set, items)) + " }"
        case AtPort(base, port):
            return f"{written_set(base)}:{written_word(port)}"
        case Except(base, removed):
            return f"{written_set(base)} except {written_set(removed)}"
        case Union(operands):
            return " or ".join(map(written_set, operands))
        case Intersection(operands):
            return " and ".join(map(written_set, operands))
        case _ as never:
            assert_never(never)


def written_claim(written: object) -> str:
    return type(written).__name__


def written_case(written: object) -> str:
    return type(written).__name__
