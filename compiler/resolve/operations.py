"""Operations: methods, paths and gRPC calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from meshproof.compiler.ir.authz import Operation
from meshproof.compiler.ir.matchers import Exact, Segments
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import Predicate, disjunction
from meshproof.dsl.ast.operations import AnySegment, CallOperation, HttpOperation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.dsl.ast.operations import Operation as WrittenOperation
    from meshproof.dsl.ast.operations import PathPattern


def path_matcher(pattern: PathPattern) -> Exact | Segments:
    """The pattern, each `{name}` as `*`; without a wildcard it is the path itself."""
    parts = ["*" if isinstance(segment, AnySegment) else segment.text for segment in pattern.segments]
    text = "/" + "/".join([*parts, "**"] if pattern.has_rest else parts)
    has_wildcard = pattern.has_rest or any(isinstance(segment, AnySegment) for segment in pattern.segments)
    return Segments(text) if has_wildcard else Exact(text)


def call_path(written: CallOperation) -> Exact | Segments:
    """The path of a gRPC call: `/package.Service/Method`, or one segment below the service."""
    if written.method is None:
        return Segments(f"/{written.service}/*")
    return Exact(f"/{written.service}/{written.method}")


def resolve_operation(written: WrittenOperation) -> Operation:
    """A method and a path; a gRPC call is a `POST`."""
    match written:
        case HttpOperation(methods, path):
            return Operation(tuple(dict.fromkeys(methods)), path_matcher(path), Origin(written.span))
        case CallOperation():
            return Operation(("POST",), call_path(written), Origin(written.span))
        case _ as never:
            assert_never(never)


def any_operation(written: Iterable[WrittenOperation]) -> Predicate:
    """That a request is one of the operations; of none it is false."""
    return disjunction(tuple(resolve_operation(operation).condition for operation in written))
