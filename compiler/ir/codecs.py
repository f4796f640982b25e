"""How values of the IR stand in JSON, by their types: one codec a type, built once.

A dataclass is an object of its fields, without those that have their default; one of a union also says its `kind`, the
class's name in lower case with hyphens. Tuples are arrays, dates ISO 8601, enumerations their values, and claims of a
token the JSON that they are in the token. Reading undoes writing exactly, and refuses everything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from meshproof.compiler.ir import claim_json
from meshproof.compiler.ir.json_text import Json, JsonError, suggestion
from meshproof.compiler.ir.names import NOWHERE, Origin
from meshproof.compiler.ir.request import ClaimObject

_LONG = 40
_INNER_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Codec:
    """Both directions of one type. `read` raises `JsonError` with the place below the value that it was given.

    `schema` is the JSON Schema of what `read` takes; it puts the objects that it refers to into the mapping.
    """

    write: Callable[[Any], Json]
    read: Callable[[Json], Any]
    schema: Callable[[dict[str, Json]], Json]


@cache
def codec_of(kind: Any, *, has_origins: bool = True) -> Codec:  # noqa: ANN401  types have no common type
    """The codec of a type of the IR. Without origins it writes no places, and reads values that come from nowhere."""
    if isinstance(kind, NewType):
        return codec_of(kind.__supertype__, has_origins=has_origins)
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), has_origins=has_origins)
    if get_origin(kind) in {Union, UnionType}:
        return _union(get_args(kind), has_origins=has_origins)
    if kind is ClaimObject:
        return Codec(claim_json.write_object, claim_json.read_object, lambda _: {"type": "object"})
    if isinstance(kind, type) and is_dataclass(kind):
        return _object(kind, None, has_origins=has_origins)
    if issubclass(kind, StrEnum):
        return _enumeration(kind)
    return _SCALARS[kind]


def kind_of(of: type) -> str:
    """The word that tells the class from others of its union."""
    return _INNER_CAPITAL.sub("-", of.__name__).lower()


# --- scalars -------------------------------------------------------------------------------------


def _read_text(value: Json) -> str:
    if not isinstance(value, str):
        raise JsonError(f"a string is expected, not {_what(value)}")
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise JsonError("half of a surrogate pair is no character")
    return value


def _read_number(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise JsonError(f"a whole number is expected, not {_what(value)}")
    return value


def _read_flag(value: Json) -> bool:
    if not isinstance(value, bool):
        raise JsonError(f"`true` or `false` is expected, not {_what(value)}")
    return value


def read_date(value: Json) -> date:
    """A day as `YYYY-MM-DD` and in no other form of ISO 8601."""
    text = _read_text(value)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise JsonError(f"`{text}` is no day of the calendar as `YYYY-MM-DD`")
    return day


_SCALARS: Mapping[Any, Codec] = {
    str: Codec(str, _read_text, lambda _: {"type": "string"}),
    int: Codec(int, _read_number, lambda _: {"type": "integer"}),
    bool: Codec(bool, _read_flag, lambda _: {"type": "boolean"}),
    date: Codec(date.isoformat, read_date, lambda _: {"type": "string", "format": "date"}),
}


def _enumeration(kind: type[StrEnum]) -> Codec:
    values: list[Json] = [member.value for member in kind]

    def read(value: Json) -> StrEnum:
        if not isinstance(value, str) or value not in values:
            allowed = ", ".join(f"`{name}`" for name in values)
            raise JsonError(f"one of {allowed} is expected, not {_what(value)}")
        return kind(value)

    return Codec(str, read, lambda _: {"enum": values})


# --- arrays --------------------------------------------------------------------------------------


def _tuple(items: tuple[Any, ...], *, has_origins: bool) -> Codec:
    if items[-1] is not Ellipsis:
        return _fixed(tuple(codec_of(item, has_origins=has_origins) for item in items))
    item = codec_of(items[0], has_origins=has_origins)

    def write(value: tuple[Any, ...]) -> Json:
        return [item.write(one) for one in value]

    def read(value: Json) -> tuple[Any, ...]:
        return tuple(_read_at(item, one, f"[{index}]") for index, one in enumerate(_array(value)))

    return Codec(write, read, lambda defs: {"type": "array", "items": item.schema(defs)})


def _fixed(items: tuple[Codec, ...]) -> Codec:
    def write(value: tuple[Any, ...]) -> Json:
        return [item.write(one) for item, one in zip(items, value, strict=True)]

    def read(value: Json) -> tuple[Any, ...]:
        found = _array(value)
        if len(found) != len(items):
            raise JsonError(f"{len(items)} items are expected, not {len(found)}")
        pairs = enumerate(zip(items, found, strict=True))
        return tuple(_read_at(item, one, f"[{index}]") for index, (item, one) in pairs)

    def schema(defs: dict[str, Json]) -> Json:
        parts: list[Json] = [item.schema(defs) for item in items]
        return {"type": "array", "prefixItems": parts, "minItems": len(parts), "maxItems": len(parts)}

    return Codec(write, read, schema)


def _array(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise JsonError(f"an array is expected, not {_what(value)}")
    return value


# --- unions --------------------------------------------------------------------------------------


def _union(members: tuple[Any, ...], *, has_origins: bool) -> Codec:
    """Something or null, one of several classes, or one of several classes or null."""
    some = tuple(member for member in members if member is not NoneType)
    inner = (
        codec_of(some[0], has_origins=has_origins)
        if len(some) == 1
        else _tagged({kind_of(member): member for member in some}, has_origins=has_origins)
    )
    if len(some) == len(members):
        return inner

    def schema(defs: dict[str, Json]) -> Json:
        return {"anyOf": [{"type": "null"}, inner.schema(defs)]}

    return Codec(
        lambda value: None if value is None else inner.write(value),
        lambda value: None if value is None else inner.read(value),
        schema,
    )


def _tagged(members: dict[str, type], *, has_origins: bool) -> Codec:
    @cache
    def member(kind: str) -> Codec:  # built when it is first met: predicates hold predicates
        return _object(members[kind], kind, has_origins=has_origins)

    def write(value: object) -> Json:
        return member(kind_of(type(value))).write(value)

    def read(value: Json) -> object:
        found = _mapping(value).get("kind")
        if not isinstance(found, str) or found not in members:
            hint = suggestion(found, members) if isinstance(found, str) else ""
            missing = "has no `kind`" if found is None else f"has no kind that is known{hint}"
            raise JsonError(f"an object of a union {missing}")
        return member(found).read(value)

    def schema(defs: dict[str, Json]) -> Json:
        return {"oneOf": [member(kind).schema(defs) for kind in members]}

    return Codec(write, read, schema)


# --- objects -------------------------------------------------------------------------------------


def _object(of: type, tag: str | None, *, has_origins: bool) -> Codec:
    hints = get_type_hints(of)
    known = {
        field.name: field for field in fields(of) if field.init and (has_origins or hints[field.name] is not Origin)
    }
    required = {name for name, field in known.items() if not _has_default(field)}
    nowhere = {} if has_origins else {name: NOWHERE for name, hint in hints.items() if hint is Origin}

    @cache
    def codec(name: str) -> Codec:
        return codec_of(hints[name], has_origins=has_origins)

    def write(value: object) -> Json:
        found: dict[str, Json] = {} if tag is None else {"kind": tag}
        for name, field in known.items():
            content = getattr(value, name)
            if name in required or content != field.default:
                found[name] = codec(name).write(content)
        return found

    def read(value: Json) -> object:
        given = {name: one for name, one in _mapping(value).items() if tag is None or name != "kind"}
        for name in given.keys() - known.keys():
            raise JsonError(f"`{name}` is not known here{suggestion(name, known)}")
        for name in sorted(required - given.keys()):
            raise JsonError(f"`{name}` is missing")
        return of(**nowhere, **{name: _read_at(codec(name), one, f".{name}") for name, one in given.items()})

    def schema(defs: dict[str, Json]) -> Json:
        title = of.__name__ if tag is None else tag
        if title not in defs:
            defs[title] = {}  # taken before its parts are looked at, since they may hold it
            parts: dict[str, Json] = {} if tag is None else {"kind": {"const": tag}}
            parts |= {name: codec(name).schema(defs) for name in known}
            names: list[Json] = [*(["kind"] if tag is not None else []), *sorted(required)]
            defs[title] = {
                "type": "object",
                "properties": parts,
                "required": names,
                "additionalProperties": False,
            }
        return {"$ref": f"#/$defs/{title}"}

    return Codec(write, read, schema)


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING


def _mapping(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise JsonError(f"an object is expected, not {_what(value)}")
    return value


def _read_at(codec: Codec, value: Json, place: str) -> Any:  # noqa: ANN401  of the type of the codec
    try:
        return codec.read(value)
    except JsonError as error:
        raise error.within(place) from None


def _what(value: Json) -> str:
    """The value as an error names it."""
    match value:
        case None:
            return "`null`"
        case bool():
            return "`true`" if value else "`false`"
        case str():
            return f"`{value}`" if len(value) <= _LONG else "a long string"
        case int() | float():
            return f"`{value}`"
        case list():
            return "an array"
        case _:
            return "an object"
