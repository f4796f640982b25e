"""A control plane of App Mesh behind boto3's own client: no socket, no account.

Requests are those that the real client serializes, and answers are parsed by it. What is taken is what the service
model and our rules take; names must be there before they are used, and nothing is deleted that is still used (API
reference, `DeleteMesh` and the like). The model does not say which error a missing name is: here it is always
`NotFoundException`. What is asked of tokens of clients, roles and other accounts is left out.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse

from meshproof.targets.appmesh.lift.found import KINDS
from meshproof.targets.appmesh.read import Reader
from meshproof.targets.appmesh.references import Key, key_of, needed
from meshproof.targets.appmesh.rules import breaches
from meshproof.targets.appmesh.spelling import API
from meshproof.targets.appmesh.together import DEFAULT, Concern, Quotas, misfits
from meshproof.targets.appmesh.values import Value
from meshproof.targets.appmesh.write import to_json
from meshproof.targets.common.json_tree import parse

ACCOUNT = "123456789012"
_VERBS = re.compile("(Create|Describe|Update|Delete|List)([A-Za-z]+)")
_PLURALS = {"Meshes": "Mesh"}
_PAGE = 100
_CODES = {
    "BadRequestException": 400,
    "ConflictException": 409,
    "LimitExceededException": 400,
    "NotFoundException": 404,
    "ResourceInUseException": 409,
}
Tree = dict[str, Any]


class RefusedError(Exception):
    """The control plane refuses a call."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the API: how it is asked for, and where its answer stands."""

    name: str
    method: str
    path: re.Pattern[str]
    payload: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A resource that is there, and how often it was changed."""

    value: Value
    version: int = 1


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the service model."""
    service = botocore.session.get_session().get_service_model("appmesh")
    found = []
    for name in service.operation_names:
        model = service.operation_model(name)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", model.http["requestUri"])
        payload = model.output_shape.serialization.get("payload")
        found.append(Operation(name, model.http["method"], re.compile(pattern), payload))
    return tuple(found)


class _Body(io.BytesIO):
    """A body as botocore reads one."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


@dataclass(slots=True)
class ControlPlane:
    """What is there, by its key. `client` is boto3's."""

    quotas: Quotas = DEFAULT
    stored: dict[Key, Stored] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    client: Any = field(init=False)

    def __post_init__(self) -> None:
        self.client = boto3.client(
            "appmesh",
            region_name="us-east-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",  # noqa: S106
        )
        self.client.meta.events.register("before-send.app-mesh.*", self._answer)

    def call(self, operation: str, given: Tree) -> Tree:
        """An operation by the name of the API, through the client."""
        found: Tree = getattr(self.client, _snake(operation))(**given)
        return found

    def _answer(self, request: Any, **_: object) -> AWSResponse:  # noqa: ANN401  botocore has no types
        url = urlsplit(request.url)
        headers = {"content-type": "application/json"}
        try:
            said, code = self._asked(request.method, url.path, url.query, request.body or b"{}"), 200
        except RefusedError as error:
            said, code = {"message": str(error)}, _CODES[error.code]
            headers["x-amzn-errortype"] = error.code
        return AWSResponse(request.url, code, headers, _Body(json.dumps(said).encode()))

    def _asked(self, method: str, path: str, query: str, body: bytes) -> Tree:
        for operation in operations():
            found = operation.path.fullmatch(path) if operation.method == method else None
            if found is not None:
                self.asked.append(operation.name)
                names = {name: unquote(value) for name, value in found.groupdict().items()}
                given = {name: values[0] for name, values in parse_qs(query).items()}
                said = self._done(operation.name, {**json.loads(body), **given, **names})
                return said[operation.payload] if operation.payload else said
        raise RefusedError("BadRequestException", f"there is no operation {method} {path}")

    def _done(self, name: str, given: Tree) -> Tree:
        given.pop("clientToken", None)
        verb = _VERBS.fullmatch(name)
        if verb is None or name == "ListTagsForResource":
            return self._tags(name, given)
        match verb[1]:
            case "Create":
                return self._written(verb[2], given, is_new=True)
            case "Update":
                return self._written(verb[2], given, is_new=False)
            case "List":
                return self._listed(verb[2], given)
            case other:
                key = _key(verb[2], given)
                said = _told(key, self._there(key))
                if other == "Delete":
                    self._deleted(key)
                return said

    def _there(self, key: Key) -> Stored:
        if key not in self.stored:
            raise RefusedError("NotFoundException", f"there is no {key.kind} `{key.name}`")
        return self.stored[key]

    def _written(self, kind: str, given: Tree, *, is_new: bool) -> Tree:
        key = _key(kind, given)
        before = None if is_new else self._there(key)
        if is_new and key in self.stored:
            raise RefusedError("ConflictException", f"there is a {kind} `{key.name}`")
        if before is not None and before.value.tags is not None:
            given["tags"] = to_json(before.value.tags, API)  # an update has none, and leaves them
        value = _read(kind, given)
        for other in needed(value):
            self._there(other)
        self._fits(value)
        if before is None:
            self.stored[key] = Stored(value)
        elif before.value != value:
            self.stored[key] = Stored(value, before.version + 1)
        return _told(key, self.stored[key])

    def _fits(self, value: Value) -> None:
        key = key_of(value)
        others = [one.value for one in self.stored.values() if key_of(one.value) != key]
        before = {(one.key, one.path, one.message) for one in misfits(others, self.quotas)}
        for one in misfits((*others, value), self.quotas):
            if one.concern is not Concern.REFERENCE and (one.key, one.path, one.message) not in before:
                code = "LimitExceededException" if one.concern is Concern.QUOTA else "BadRequestException"
                raise RefusedError(code, one.message)

    def _deleted(self, key: Key) -> None:
        users = [other for other, one in self.stored.items() if key in needed(one.value)]
        if users:
            raise RefusedError("ResourceInUseException", f"the {users[0].kind} `{users[0].name}` uses it")
        del self.stored[key]

    def _listed(self, plural: str, given: Tree) -> Tree:
        kind = _PLURALS.get(plural, plural.removesuffix("s"))
        parents = _key(kind, {**given, _name(kind): ""}).names[:-1]
        for depth, parent in enumerate(
            ("Mesh", {"Route": "VirtualRouter", "GatewayRoute": "VirtualGateway"}.get(kind))
        ):
            if parent is not None and depth < len(parents):
                self._there(Key(parent, parents[: depth + 1]))
        found = sorted(key for key in self.stored if key.kind == kind and key.names[:-1] == parents)
        start, limit = int(given.get("nextToken", 0)), int(given.get("limit", _PAGE))
        member = "meshes" if kind == "Mesh" else f"{_first_lower(kind)}s"
        told = [_told(key, self.stored[key])[_first_lower(kind)] for key in found[start : start + limit]]
        said: Tree = {member: [{**one, **one["metadata"], "spec": None} for one in told]}
        return {**said, "nextToken": str(start + limit)} if start + limit < len(found) else said

    def _tags(self, name: str, given: Tree) -> Tree:
        by_arn = {_arn(key): key for key in self.stored}
        key = by_arn.get(given["resourceArn"])
        if key is None:
            raise RefusedError("NotFoundException", f"there is no `{given['resourceArn']}`")
        one = self.stored[key]
        tags = {tag.key: tag.value for tag in one.value.tags or ()}
        match name:
            case "ListTagsForResource":
                return {"tags": [{"key": tag, "value": value} for tag, value in sorted(tags.items())]}
            case "TagResource":
                tags |= {tag["key"]: tag["value"] for tag in given["tags"]}
            case _:
                tags = {tag: value for tag, value in tags.items() if tag not in given["tagKeys"]}
        tree = {**_tree(one.value), "tags": [{"key": tag, "value": value} for tag, value in tags.items()]}
        self.stored[key] = replace(one, value=_read(key.kind, tree))
        return {}


def _read(kind: str, given: Tree) -> Value:
    reader = Reader(API)
    found: Value | None = reader.read(KINDS[kind], parse(json.dumps(given), "")[0])
    said = [f"{one.path}: {one.message}" for one in reader.faults]
    if found is not None:
        said += [one.message for one in breaches(found)]
    if found is None or said:
        raise RefusedError("BadRequestException", "; ".join(said))
    return found


def _told(key: Key, one: Stored) -> Tree:
    metadata = {
        "arn": _arn(key),
        "createdAt": 0,
        "lastUpdatedAt": 0,
        "meshOwner": ACCOUNT,
        "resourceOwner": ACCOUNT,
        "uid": "-".join(key.names),
        "version": one.version,
    }
    own = {name: value for name, value in _tree(one.value).items() if name not in {"tags", "meshOwner"}}
    said = {"spec": {}, **own, "metadata": metadata, "status": {"status": "ACTIVE"}}
    return {_first_lower(key.kind): said}


def _tree(value: Value) -> Tree:
    found = to_json(value, API)
    assert isinstance(found, dict)
    return dict(found)


def _key(kind: str, given: Tree) -> Key:
    parents = {"Route": ("virtualRouterName",), "GatewayRoute": ("virtualGatewayName",)}.get(kind, ())
    own = () if kind == "Mesh" else (_name(kind),)
    return Key(kind, tuple(str(given[name]) for name in ("meshName", *parents, *own)))


def _arn(key: Key) -> str:
    return f"arn:aws:appmesh:us-east-1:{ACCOUNT}:{key.kind}/{'/'.join(key.names)}"


def _name(kind: str) -> str:
    return f"{_first_lower(kind)}Name"


def _first_lower(text: str) -> str:
    return f"{text[0].lower()}{text[1:]}"


def _snake(operation: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
