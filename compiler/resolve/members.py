"""The declared members of namespaces and tags, the same for sources and destinations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.resolve.directory import namespace_prefix

if TYPE_CHECKING:
    from meshproof.compiler.ir.names import NodeName
    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.sets import NamespaceSet
    from meshproof.dsl.ast.values import Name


def tagged(tag: Name, ctx: Context) -> tuple[NodeName, ...] | None:
    """The services with that tag; None, and a finding, if no service of any environment has it."""
    if tag.text not in ctx.directory.tags:
        ctx.findings.add(
            "MP213",
            f"no service is tagged `{tag.text}`",
            tag.span,
            help=ctx.findings.did_you_mean(tag.text, ctx.directory.tags)
            or f"write `tags {tag.text}` in the services that are meant",
        )
        return None
    return ctx.directory.by_tag.get(tag.text, ())


def domain_of(written: NamespaceSet, ctx: Context) -> str | None:
    """The canonical trust domain of `namespace N [of "trust.domain"]`; None, and a finding, if it is not trusted."""
    if written.trust_domain is None:
        return ctx.domains.own
    text = ctx.values.string(written.trust_domain)
    domain = None if text is None else ctx.domains.canonical(text)
    if text is not None and domain is None:
        known = (ctx.domains.own, *ctx.domains.aliases, *ctx.domains.trusts)
        ctx.findings.add(
            "MP228",
            f"no identity of the trust domain `{text}` is ever verified",
            written.trust_domain.span,
            help=ctx.findings.did_you_mean(text, known) or f'name it in the mesh: `trusts "{text}"`',
        )
    return domain


def in_namespace(namespace: str, domain: str, ctx: Context) -> frozenset[NodeName]:
    """The declared callers of a namespace: declared in it (in our domain), or with an identity of it."""
    by_identity = ctx.directory.by_prefix.get(namespace_prefix(domain, namespace), ())
    declared = ctx.directory.by_namespace.get(namespace, ()) if domain == ctx.domains.own else ()
    return frozenset((*declared, *by_identity))
