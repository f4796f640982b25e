"""Tables of requests with what Istio makes of them, and how they are held against a lifted mesh."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import Any

from tests.strategies.istio_lifting import HTTP, judged

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import ClaimValue, Request

JWT_A: dict[str, ClaimValue] = {"iss": "a@issuer", "sub": "one", "groups": ("g1",)}
JWT_B: dict[str, ClaimValue] = {"iss": "b@issuer", "sub": "two", "groups": ("g2",)}


@dataclass(frozen=True, slots=True)
class Expected:
    """A request, by the fields in which it differs from the plain one, and whether it is let in."""

    request: Request
    fields: dict[str, Any]
    is_allowed: bool


def yes(request: Request = HTTP, **fields: Any) -> Expected:  # noqa: ANN401  fields of a request have many types
    """A request that is let in."""
    return Expected(request, fields, is_allowed=True)


def no(request: Request = HTTP, **fields: Any) -> Expected:  # noqa: ANN401  fields of a request have many types
    """A request that is refused."""
    return Expected(request, fields, is_allowed=False)


def both(expected: Expected, **fields: Any) -> tuple[Expected, Expected]:  # noqa: ANN401  as above
    """The request with its plain path, and the same with a query."""
    path = expected.fields["path"]
    with_query = expected.fields | {"path": f"{path}?param=value"}
    return (
        Expected(expected.request, expected.fields | fields, expected.is_allowed),
        Expected(expected.request, with_query | fields, expected.is_allowed),
    )


def broken(mesh: Mesh, table: tuple[Expected, ...]) -> list[str]:
    """The expectations that are not met."""
    return [
        f"{one.fields} of {one.request.protocol} should be {'allowed' if one.is_allowed else 'refused'}"
        for one in table
        if judged(mesh, one.request, **one.fields).is_allowed is not one.is_allowed
    ]


def custom_object(kind: str, spec: str, name: str = "o", namespace: str = "shop") -> str:
    """An object of `security.istio.io`; the spec is a flow mapping, or lines."""
    body = (
        f" {spec}\n"
        if spec.startswith("{")
        else "\n" + "\n".join(f"  {line}" for line in dedent(spec).strip().splitlines()) + "\n"
    )
    head = f"apiVersion: security.istio.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
    return f"{head}spec:{body}---\n"
