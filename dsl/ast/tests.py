"""Tests: one request a line and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from meshproof.dsl.ast.declarations import Endpoint
from meshproof.dsl.ast.expressions import Attribute
from meshproof.dsl.ast.node import Node
from meshproof.dsl.ast.operations import CallOperation
from meshproof.dsl.ast.routes import Target
from meshproof.dsl.ast.sets import Identity, Internet, Named, Plaintext
from meshproof.dsl.ast.values import Date, Name, Scalar

CaseSource: TypeAlias = Named | Identity | Plaintext | Internet


@dataclass(frozen=True, slots=True)
class Send(Node):
    """`METHOD PATH`: one request as it is sent; `path` is not a pattern, may hold a query and need not be normal."""

    method: str
    path: str


CaseOperation: TypeAlias = Send | CallOperation
"""In a test a call always names its method."""


@dataclass(frozen=True, slots=True)
class GivenAttribute(Node):
    """`header["x"] == "1"`: one value; the same header, query or claim again adds another."""

    attribute: Attribute
    value: Scalar


@dataclass(frozen=True, slots=True)
class GivenToken(Node):
    """`token from I`: a valid token of that issuer."""

    issuer: Name


@dataclass(frozen=True, slots=True)
class GivenInvalidToken(Node):
    """`token invalid`: a token that cannot be verified."""


@dataclass(frozen=True, slots=True)
class GivenDay(Node):
    """`at DATE`: the day of the request."""

    day: Date


class Answer(StrEnum):
    """What an authorizer says."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class GivenAnswer(Node):
    """`opa == allow`: what that authorizer answers if it is asked."""

    authorizer: Name
    answer: Answer


Given: TypeAlias = GivenAttribute | GivenToken | GivenInvalidToken | GivenDay | GivenAnswer


@dataclass(frozen=True, slots=True)
class CaseRequest(Node):
    """`S -> D:PORT OP [with GIVEN, …]`."""

    source: CaseSource
    destination: Endpoint
    operation: CaseOperation | None = None
    givens: tuple[Given, ...] = ()


class DenyReason(StrEnum):
    """The step that refuses a request."""

    TRANSPORT = "transport"
    PATH = "path"
    TOKEN = "token"  # noqa: S105 - a word of the language
    ASK = "ask"
    RULE = "rule"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class ExpectAllow(Node):
    """`allow [by R]`."""

    by: Name | None = None


@dataclass(frozen=True, slots=True)
class ExpectDeny(Node):
    """`deny [by R | at STEP]`, never both."""

    by: Name | None = None
    at: DenyReason | None = None


@dataclass(frozen=True, slots=True)
class ExpectRoute(Node):
    """`route TARGETS`: the sender's step alone."""

    targets: tuple[Target, ...]


Outcome: TypeAlias = ExpectAllow | ExpectDeny | ExpectRoute


@dataclass(frozen=True, slots=True)
class Case(Node):
    """`REQUEST => OUTCOME`."""

    request: CaseRequest
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Suite(Node):
    """`test NAME|"title" { … }`."""

    name: Name
    cases: tuple[Case, ...] = ()
    env: tuple[Name, ...] = ()
