"""Random resources of App Mesh: every field that the service model has, within its limits."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from meshproof.targets.appmesh.limits import Limits
from meshproof.targets.appmesh.model.gateway_route import GatewayRoute
from meshproof.targets.appmesh.model.mesh import Mesh
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.model.virtual_router import VirtualRouter
from meshproof.targets.appmesh.model.virtual_service import VirtualService
from meshproof.targets.appmesh.shapes import Member, is_union, members

KINDS: tuple[type[Any], ...] = (Mesh, VirtualNode, VirtualService, VirtualRouter, Route, VirtualGateway, GatewayRoute)


def resources() -> st.SearchStrategy[Any]:
    """A resource of any kind."""
    return st.sampled_from(KINDS).flatmap(values)


def values(shape: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of a generated class."""
    known = members(shape)
    if is_union(shape):
        return st.sampled_from(known).flatmap(lambda one: _of(one).map(lambda value: shape(**{one.name: value})))
    return st.fixed_dictionaries(
        {one.name: _of(one) for one in known if one.is_required},
        optional={one.name: _of(one) for one in known if not one.is_required},
    ).map(lambda given: shape(**given))


def _of(member: Member) -> st.SearchStrategy[Any]:
    if not member.is_list:
        return _single(member.kind, member.limits)
    least = member.limits.least or 0
    most = min(member.limits.most or least + 2, least + 2)
    each = _single(member.kind, member.limits.each or Limits())
    return st.lists(each, min_size=least, max_size=most).map(tuple)


def _single(kind: type[Any], limits: Limits) -> st.SearchStrategy[Any]:
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(limits.least or 0, limits.most if limits.most is not None else 2**31)
    if kind is not str:
        return values(kind)
    if limits.values:
        return st.sampled_from(limits.values)
    if limits.pattern is not None:
        return st.from_regex(limits.pattern, fullmatch=True).filter(
            lambda text: (limits.least or 0) <= len(text) <= (limits.most or 64)
        )
    least = limits.least or 0
    return st.text("abcXYZ019-_/.:*~ é", min_size=least, max_size=min(limits.most or 64, least + 12))
