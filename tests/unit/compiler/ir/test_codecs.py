from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from types import NoneType, UnionType
from typing import NewType, Union, get_args, get_origin, get_type_hints

import pytest
from tests.strategies.building import SHOP, request, rule, token

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.codecs import codec_of, kind_of, read_date
from meshproof.compiler.ir.json_text import Json, JsonError
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import Always, Not, Predicate, TokenIssuer
from meshproof.compiler.ir.request import ClaimObject, Peer, Request, RequestProtocol, Token
from meshproof.compiler.ir.serde import json_schema


@pytest.mark.parametrize(("of", "word"), [(Not, "not"), (TokenIssuer, "token-issuer"), (ClaimObject, "claim-object")])
def test_kinds(of: type, word: str) -> None:
    assert kind_of(of) == word


def test_a_part_of_a_mesh_has_its_own_codec() -> None:
    codec = codec_of(Predicate)
    assert codec.write(Not(Always())) == {"kind": "not", "operand": {"kind": "always"}}
    assert codec.read(codec.write(Not(Always()))) == Not(Always())


def test_a_request_with_a_token_is_read_back() -> None:
    sent = Request(Peer(None), SHOP, 1, RequestProtocol.HTTP, token=token(iss="x", n=(1, 2.5, True, None)))
    codec = codec_of(Request)
    assert codec.read(codec.write(sent)) == sent
    assert _object(codec.write(sent))["token"] == {"is_valid": True, "claims": {"iss": "x", "n": [1, 2.5, True, None]}}
    assert codec.read(codec.write(request())) == request()


def test_without_origins_no_place_is_written() -> None:
    assert "origin" in _object(codec_of(AuthzRule).write(rule()))
    assert "origin" not in _object(codec_of(AuthzRule, has_origins=False).write(rule()))


def _object(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict)
    return value


def test_days() -> None:
    assert read_date("2026-11-23") == date(2026, 11, 23)
    for text in ("2026-W48-1", "2026-11-31", "23.11.2026"):
        with pytest.raises(JsonError):
            read_date(text)


def test_members_of_a_union_have_different_kinds_and_one_shape_each() -> None:
    """Two classes of one name, one of them in a union, would share a place in the schema."""
    classes: dict[str, set[type]] = {}
    for of, is_member in _classes(Mesh, set()):
        classes.setdefault(kind_of(of) if is_member else of.__name__, set()).add(of)
    assert {name for name, found in classes.items() if len(found) > 1} == set()
    schema = json_schema()
    assert isinstance(schema, dict)
    defined = schema["$defs"]
    assert isinstance(defined, dict)
    assert defined.keys() == classes.keys() - {"Mesh", "ClaimObject"}


def _classes(kind: object, seen: set[object], *, is_member: bool = False) -> set[tuple[type, bool]]:
    """The dataclasses below a type, and whether each is one of several in a union."""
    if isinstance(kind, NewType) or (kind, is_member) in seen:
        return set()
    seen.add((kind, is_member))
    if get_origin(kind) is not None or isinstance(kind, UnionType):
        some = [inner for inner in get_args(kind) if inner not in {NoneType, Ellipsis}]
        is_union = get_origin(kind) in {Union, UnionType} and len(some) > 1
        return {found for inner in some for found in _classes(inner, seen, is_member=is_union)}
    if not isinstance(kind, type) or not is_dataclass(kind):
        return set()
    hints = {} if kind is ClaimObject else get_type_hints(kind)
    below = {found for field in fields(kind) for found in _classes(hints.get(field.name), seen)}
    return {(kind, is_member)} | below


def test_tokens_are_written_as_they_are() -> None:
    assert codec_of(Token).read({"is_valid": False, "claims": {}}) == Token(is_valid=False, claims=ClaimObject(()))
