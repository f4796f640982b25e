"""What a value is compared with: the literals of a condition, checked against the attribute's kind."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import TYPE_CHECKING, assert_never

from meshproof.compiler.ir.matchers import Cidr, Exact, Matcher, Prefix, Regex, Suffix
from meshproof.compiler.patterns.cidr import parse_network
from meshproof.compiler.patterns.normal_form import segment_fault
from meshproof.compiler.patterns.re2 import parse_regex
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge
from meshproof.compiler.resolve.attributes import ValueKind, is_sendable

if TYPE_CHECKING:
    from meshproof.compiler.resolve.context import Context
    from meshproof.compiler.resolve.findings import Findings
    from meshproof.dsl.ast.values import Regex as WrittenRegex
    from meshproof.dsl.ast.values import Scalar, StringValue
    from meshproof.dsl.source import Span

_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Z-]+")
_ESCAPE_CUT = re.compile(r"%[0-9A-Fa-f]?$")
_HIGHEST_PORT = 65535


def equal_to(written: Scalar, kind: ValueKind, ctx: Context) -> Matcher | None:
    """The matcher of `== V`; None, and a finding, where no value of the kind can be that."""
    value = ctx.values.scalar(written)
    if value is None:
        return None
    if kind is ValueKind.PORT:
        return _port(value, written.span, ctx.findings)
    if isinstance(value, int):
        _wrong(f"{kind.value} is compared with a string, not with a number", written.span, ctx, f'write `"{value}"`')
        return None
    match kind:
        case ValueKind.ADDRESS:
            return network(value, written.span, ctx.findings)
        case ValueKind.METHOD:
            if _METHOD.fullmatch(value) is None:
                _wrong(f"`{value}` is no method in upper case", written.span, ctx, f'write `"{value.upper()}"`')
                return None
            return Exact(value)
        case ValueKind.PATH:
            return Exact(value) if _is_path(value, written.span, ctx.findings) else None
        case ValueKind.HOST:
            host = _host(value, written.span, ctx.findings)
            return None if host is None else Exact(host, ignore_case=True)
        case ValueKind.QUERY:
            return Exact(value) if is_sendable(value, written.span, ctx.findings) else None
        case ValueKind.TEXT:
            return Exact(value)
        case _ as never:
            assert_never(never)


def starting_with(written: StringValue, kind: ValueKind, ctx: Context) -> Matcher | None:
    """The matcher of `startswith V`."""
    value = ctx.values.string(written)
    if value is None or not _is_text(kind, "startswith", written.span, ctx):
        return None
    if kind is ValueKind.QUERY and not is_sendable(value, written.span, ctx.findings):
        return None
    if kind is ValueKind.PATH and not value.startswith("/"):
        _wrong("a path begins with `/`", written.span, ctx)
        return None
    if kind is ValueKind.PATH:
        *whole, part = value[1:].split("/")
        if not _is_normal(value, whole, part, written.span, ctx):
            return None
    return Prefix(value.lower(), ignore_case=True) if kind is ValueKind.HOST else Prefix(value)


def ending_with(written: StringValue, kind: ValueKind, ctx: Context) -> Matcher | None:
    """The matcher of `endswith V`."""
    value = ctx.values.string(written)
    if value is None or not _is_text(kind, "endswith", written.span, ctx):
        return None
    if kind is ValueKind.QUERY and not is_sendable(value, written.span, ctx.findings):
        return None
    if kind is ValueKind.PATH:
        part, *whole = value.split("/")
        if not _is_normal(value, whole if not whole or whole[-1] else whole[:-1], part, written.span, ctx):
            return None
    return Suffix(value.lower(), ignore_case=True) if kind is ValueKind.HOST else Suffix(value)


def matching(written: WrittenRegex, kind: ValueKind, ctx: Context) -> Matcher | None:
    """The matcher of `matches re"…"`; hosts are in lower case, so an expression over them takes either."""
    if not _is_text(kind, "matches", written.span, ctx):
        return None
    try:
        parse_regex(written.pattern, ignore_case=kind is ValueKind.HOST)
    except PatternRefused as refused:
        message = f"the regular expression cannot be read: {refused.reason}"
        _at_character(message, refused.position, written, ctx.findings)
        return None
    except PatternTooLarge as large:
        ctx.findings.add("MP222", f"the regular expression is too large: {large.reason}", written.span)
        return None
    return Regex(f"(?i){written.pattern}" if kind is ValueKind.HOST else written.pattern)


def _at_character(message: str, position: int, written: WrittenRegex, findings: Findings) -> None:
    """Point at the character of the pattern, which begins three characters into its text, behind `re"`."""
    at = type(written.span)(
        written.span.file, min(written.span.start + 3 + position, written.span.end), written.span.end
    )
    findings.add("MP222", message, at, "from here on", help="the expression is RE2 and must match the whole value")


def network(value: str, at: Span, findings: Findings) -> Cidr | None:
    """An address or network in canonical text; None, and a finding, where it is none or holds bits past its prefix."""
    try:
        found = parse_network(value)
    except PatternRefused as refused:
        findings.add("MP220", f"`{value}` is no address or network: {refused.reason}", at)
        return None
    try:
        ip_network(value)
    except ValueError:
        findings.add(
            "MP220", f"`{value}` has bits past its prefix", at, help=f"write `{found}`, or the address without a prefix"
        )
        return None
    return Cidr(str(found))


def _port(value: str | int, at: Span, findings: Findings) -> Exact | None:
    number = int(value) if isinstance(value, int) or re.fullmatch(r"[1-9][0-9]{0,4}", value) else 0
    if not 1 <= number <= _HIGHEST_PORT:
        findings.add("MP220", f"`{value}` is no port number", at)
        return None
    return Exact(str(number))


def _host(value: str, at: Span, findings: Findings) -> str | None:
    host = value.lower().removesuffix(".")
    if not host or ":" in host.partition("]")[2 if host.startswith("[") else 0] or "/" in host or " " in host:
        findings.add(
            "MP220",
            f"`{value}` is no host name",
            at,
            help="a host has no port, path or scheme; use `port` for the port",
        )
        return None
    return host


def _is_path(value: str, at: Span, findings: Findings) -> bool:
    if not value.startswith("/"):
        findings.add("MP220", f"`{value}` is no path: a path begins with `/`", at)
        return False
    *inner, last = value[1:].split("/")
    faults = [segment_fault(segment) for segment in ([*inner, last] if last else inner)]
    fault = next((fault for fault in faults if fault is not None), None)
    if fault is not None:
        findings.add("MP220", f"no path in normal form is `{value}`: {fault[0]}", at)
    return fault is None


def _is_normal(value: str, whole: list[str], part: str, at: Span, ctx: Context) -> bool:
    """Whether some normal path begins or ends so: with these segments, and a part of one that goes on."""
    faults = (*map(segment_fault, whole), segment_fault(f"x{part}x") if not _ESCAPE_CUT.search(part) else None)
    fault = next((fault for fault in faults if fault is not None), None)
    if fault is not None:
        _wrong(f"no path in normal form has `{value}` there: {fault[0]}", at, ctx)
    return fault is None


def _is_text(kind: ValueKind, test: str, at: Span, ctx: Context) -> bool:
    if kind in (ValueKind.TEXT, ValueKind.QUERY, ValueKind.PATH, ValueKind.HOST):
        return True
    _wrong(f"`{test}` is for text, and this is {kind.value}", at, ctx, "use `==` or `in`")
    return False


def _wrong(message: str, at: Span, ctx: Context, advice: str | None = None) -> None:
    ctx.findings.add("MP220", message, at, help=advice)
