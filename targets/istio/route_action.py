"""What is done with the requests that a branch takes, as fields of an `HTTPRoute`."""

from __future__ import annotations

import re

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.matchers import Prefix, Segments
from meshproof.compiler.ir.routing import (
    Branch,
    Cors,
    Fault,
    HeaderAction,
    HeaderEdit,
    Redirect,
    Retry,
    Settings,
)
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.durations import duration
from meshproof.targets.istio.route_match import segments_regex

Fields = dict[str, Value]

NO_RETRIES: Value = {"attempts": 0}
"""Written out everywhere: Istio tries twice again where nothing is said."""

_NO_MIRROR = "mirror nothing in this branch: `mirror` with `0%`"

_CONDITIONS = {"reset": "reset", "refused": "refused-stream"}
"""Where Envoy's word is another; a status stands for itself."""


def settings(branch: Branch) -> Fields:
    """Everything of a branch but its destinations. Raises `NotExpressibleError`."""
    own = branch.settings
    found: Fields = {}
    if branch.redirect is not None:
        if own.fault is not None:
            raise NotExpressibleError(Feature.ROUTE_SETTINGS, "a redirect cannot have a fault")
        if own.mirror is not None and own.mirror.percent:
            raise NotExpressibleError(Feature.ROUTE_SETTINGS, "what is redirected is not mirrored", _NO_MIRROR)
        found["redirect"] = _redirect(branch.redirect, branch)
    else:
        found |= _forwarding(branch, own)
    if own.headers:
        found["headers"] = {"request": _edits(own.headers)}
    if own.cors is not None:
        found["corsPolicy"] = _cors(own.cors)
    return found


def _forwarding(branch: Branch, own: Settings) -> Fields:
    found: Fields = {}
    if own.rewrite_path is not None:
        found["rewrite"] = {"uriRegexRewrite": rewrite(branch, own.rewrite_path)}
    if own.timeout_ms is not None:
        found["timeout"] = duration(own.timeout_ms)
    found["retries"] = NO_RETRIES if own.retry is None else _retries(own.retry)
    if own.fault is not None:
        found["fault"] = _fault(own.fault)
    return found


def rewrite(branch: Branch, path: str) -> Value:
    """A branch for `/a/**` replaces `/a` and keeps the rest, one by prefix the prefix; any other the whole path."""
    match branch.path:
        case Segments(pattern) if pattern.endswith("/**"):
            start = segments_regex(pattern.removesuffix("/**")) if pattern != "/**" else ""
            if path == "/":
                return {"match": f"^{start}/?(.*)$", "rewrite": r"/\1"}
            return {"match": f"^{start}(.*)$", "rewrite": rf"{path.removesuffix('/')}\1"}
        case Prefix(start):
            return {"match": f"^{re.escape(start)}(.*)$", "rewrite": rf"{path}\1"}
        case _:
            return {"match": "^.*$", "rewrite": path}


def _redirect(redirect: Redirect, branch: Branch) -> Value:
    found: Fields = {"redirectCode": redirect.status}
    if redirect.host is not None:
        found["authority"] = redirect.host
    if redirect.path is not None and redirect.path.endswith("/**"):
        if branch.path != Segments(redirect.path):
            raise NotExpressibleError(
                Feature.ROUTE_SETTINGS,
                f"a redirect to `{redirect.path}` keeps the rest of the path, and Istio replaces it as a whole",
                "redirect to another host alone, or to a path that is written out",
            )
    elif redirect.path is not None:
        found["uri"] = redirect.path
    return found


def _retries(retry: Retry) -> Value:
    if retry.attempts == 0:
        return NO_RETRIES
    found: Fields = {"attempts": retry.attempts}
    if retry.within_ms is not None:
        found["perTryTimeout"] = duration(retry.within_ms)
    found["retryOn"] = ",".join(_CONDITIONS.get(condition, condition) for condition in retry.conditions)
    return found


def _edits(edits: tuple[HeaderEdit, ...]) -> Value:
    found: dict[str, Value] = {}
    for action in (HeaderAction.SET, HeaderAction.ADD):
        if chosen := {edit.name: edit.value for edit in edits if edit.action is action}:
            found[str(action)] = chosen
    if removed := [edit.name for edit in edits if edit.action is HeaderAction.REMOVE]:
        found["remove"] = removed
    names = [edit.name for edit in edits]
    if len(names) > len(set(names)):
        raise NotExpressibleError(
            Feature.ROUTE_SETTINGS, "it has no order among the edits of one header", "edit each header once"
        )
    return found


def _cors(cors: Cors) -> Value:
    found: Fields = {"allowOrigins": [{"exact": origin} for origin in cors.origins]}
    if cors.methods:
        found["allowMethods"] = list(cors.methods)
    if cors.headers:
        found["allowHeaders"] = list(cors.headers)
    if cors.max_age_ms is not None:
        found["maxAge"] = duration(cors.max_age_ms)
    found["allowCredentials"] = cors.allows_credentials
    return found


def _fault(fault: Fault) -> Value:
    found: Fields = {}
    if fault.delay_ms is not None:
        found["delay"] = {"percentage": {"value": fault.delay_percent}, "fixedDelay": duration(fault.delay_ms)}
    if fault.abort_status is not None:
        found["abort"] = {"percentage": {"value": fault.abort_percent}, "httpStatus": fault.abort_status}
    return found
