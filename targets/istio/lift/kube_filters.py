"""What the filters, time limits and backends of a Gateway API route do (pilot/pkg/config/kube/gateway)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshproof.compiler.ir.routing import Cors, HeaderAction, HeaderEdit, Redirect, Retry, Settings
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.durations import milliseconds
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.route_model import Copy, Sending
from meshproof.targets.istio.lift.route_settings import DEFAULT_ATTEMPTS, WHOLE, duration
from meshproof.targets.istio.lift.values import flag, items, mapping, mappings, number, origin_of, text, texts

INVALID = 500
_RETRY_ON = ("connect-failure", "refused-stream", "unavailable", "cancelled")
_FOUND = 302


@dataclass(frozen=True, slots=True)
class Filtered:
    """What filters make of a rule. `replaces_path`: the rewrite replaces the whole path, not the prefix."""

    settings: Settings
    redirect: Redirect | None = None
    copies: tuple[Copy, ...] = ()
    replaces_path: bool = False


def filtered(rule: MapNode, source: KubeObject, context: LiftContext) -> Filtered | None:
    """The filters of a rule; None where one of them is none that Istio takes, and the rule is not in force."""
    found = Filtered(Settings())
    for one in mappings(rule.get("filters")):
        step = _step(found, one, source, context)
        if step is None:
            return None
        found = step
    return found


def _step(so_far: Filtered, one: MapNode, source: KubeObject, context: LiftContext) -> Filtered | None:
    settings = so_far.settings
    match text(one.get("type")):
        case "RequestHeaderModifier":
            edits, host = header_edits(mapping(one.get("requestHeaderModifier")))
            changed = replace(settings, headers=(*settings.headers, *edits), rewrite_host=settings.rewrite_host or host)
            return replace(so_far, settings=changed)
        case "ResponseHeaderModifier":
            return so_far
        case "RequestRedirect":
            return replace(so_far, redirect=_redirect(mapping(one.get("requestRedirect"))))
        case "URLRewrite":
            return _rewritten(so_far, mapping(one.get("urlRewrite")))
        case "RequestMirror":
            return replace(so_far, copies=(*so_far.copies, *_copy(mapping(one.get("requestMirror")), source, context)))
        case "CORS":
            return replace(so_far, settings=replace(settings, cors=_cors(mapping(one.get("cors")))))
        case _:
            return None


def header_edits(modifier: MapNode) -> tuple[tuple[HeaderEdit, ...], str | None]:
    """The edits, and the host that they set."""
    edits = [HeaderEdit(HeaderAction.REMOVE, lower_ascii(one.value)) for one in texts(modifier.get("remove"))]
    host: str | None = None
    for action in (HeaderAction.SET, HeaderAction.ADD):
        for one in mappings(modifier.get(action.value)):
            name, value = lower_ascii(text(one.get("name")) or ""), text(one.get("value")) or ""
            if name == "host":
                host = value
            else:
                edits.append(HeaderEdit(action, name, value))
    return tuple(edits), host


def _redirect(one: MapNode) -> Redirect:
    path = mapping(one.get("path"))
    prefix = text(path.get("replacePrefixMatch"))
    return Redirect(
        status=number(one.get("statusCode")) or _FOUND,
        host=text(one.get("hostname")),
        path=text(path.get("replaceFullPath")) if prefix is None else prefix,
        origin=origin_of(one),
        scheme=text(one.get("scheme")),
        port=number(one.get("port")),
        replaces_prefix=prefix is not None,
    )


def _rewritten(so_far: Filtered, one: MapNode) -> Filtered:
    path = mapping(one.get("path"))
    whole = text(path.get("replaceFullPath"))
    written = text(path.get("replacePrefixMatch")) if whole is None else whole
    settings = replace(
        so_far.settings,
        rewrite_path=written or so_far.settings.rewrite_path,
        rewrite_host=text(one.get("hostname")) or so_far.settings.rewrite_host,
    )
    return replace(so_far, settings=settings, replaces_path=whole is not None or so_far.replaces_path)


def _copy(one: MapNode, source: KubeObject, context: LiftContext) -> tuple[Copy, ...]:
    percent = number(one.get("percent"))
    fraction = mapping(one.get("fraction"))
    if fraction.entries:
        of = number(fraction.get("denominator")) or WHOLE
        share = (number(fraction.get("numerator")) or 0) * WHOLE
        percent = 0 if share <= 0 else min(WHOLE, max(1, share // of))
    backend = sending_of(mapping(one.get("backendRef")), source, context)
    share_of_all = WHOLE if percent is None else percent
    return (Copy(backend, share_of_all, origin_of(one)),) if share_of_all > 0 else ()


def _cors(one: MapNode) -> Cors:
    age = number(one.get("maxAge"))
    return Cors(
        tuple(found.value for found in texts(one.get("allowOrigins"))),
        tuple(found.value for found in texts(one.get("allowMethods"))),
        tuple(found.value for found in texts(one.get("allowHeaders"))),
        flag(one.get("allowCredentials")) or False,
        None if age is None else age * 1000,
    )


def timed(settings: Settings, rule: MapNode, default: Retry | None) -> Settings:
    """The settings with the rule's time limits and retries."""
    limits = mapping(rule.get("timeouts"))
    backend = text(limits.get("backendRequest"))
    written = rule.get("retry")
    retry = default
    if isinstance(written, MapNode):
        retry = _retry(written, None if backend is None else milliseconds(backend))
    timeout = duration(limits.get("request"))
    if backend is not None and not isinstance(written, MapNode):
        timeout = duration(limits.get("backendRequest"))
    return replace(settings, timeout_ms=timeout, retry=retry)


def _retry(one: MapNode, within: int | None) -> Retry | None:
    attempts = number(one.get("attempts"))
    attempts = DEFAULT_ATTEMPTS if attempts is None else attempts
    codes = tuple(str(code) for item in items(one.get("codes")) if (code := number(item)) is not None)
    return None if attempts <= 0 else Retry(attempts, (*_RETRY_ON, *codes), within or None, origin_of(one))


def sending_of(one: MapNode, source: KubeObject, context: LiftContext) -> Sending:
    """A backend: a Service, a host or a ServiceEntry; one that may not be referred to answers 500."""
    namespace = text(one.get("namespace")) or source.namespace
    name = text(one.get("name")) or ""
    group, kind = text(one.get("group")) or "", text(one.get("kind")) or "Service"
    weight = number(one.get("weight"))
    edits: tuple[HeaderEdit, ...] = ()
    rewrite_host: str | None = None
    is_valid = namespace == source.namespace or _is_granted(source, namespace, group, kind, name, context)
    for step in mappings(one.get("filters")):
        if text(step.get("type")) == "RequestHeaderModifier":
            edits, rewrite_host = header_edits(mapping(step.get("requestHeaderModifier")))
        elif text(step.get("type")) != "ResponseHeaderModifier":
            is_valid = False
    host = f"{name}.{namespace}.svc.{context.services.cluster_domain}"
    if (group, kind) == ("networking.istio.io", "Hostname"):
        host = lower_ascii(name)
    elif (group, kind) != ("", "Service"):
        is_valid = False
    return Sending(
        host=host,
        subset=None,
        port=number(one.get("port")),
        weight=1 if weight is None else weight,
        edits=edits,
        origin=origin_of(one),
        rewrite_host=rewrite_host,
        status=None if is_valid else INVALID,
    )


def _is_granted(source: KubeObject, namespace: str, group: str, kind: str, name: str, context: LiftContext) -> bool:
    """Whether a ReferenceGrant in the other namespace lets routes of this kind and namespace refer to the backend."""
    for grant in context.objects.of(Kind.REFERENCE_GRANT, namespace):
        is_from = any(
            text(one.get("kind")) == source.kind.value and text(one.get("namespace")) == source.namespace
            for one in mappings(grant.spec.get("from"))
        )
        is_to = any(
            (text(one.get("group")) or "") == group
            and text(one.get("kind")) == kind
            and text(one.get("name")) in {None, name}
            for one in mappings(grant.spec.get("to"))
        )
        if is_from and is_to:
            return True
    return False
