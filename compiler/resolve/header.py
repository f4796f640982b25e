"""The `mesh` block: what holds for the whole policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.ir.mesh import Egress
from meshproof.compiler.resolve.domains import TrustDomains, is_trust_domain
from meshproof.dsl.ast.declarations import External, Mesh
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.resolve.findings import Findings
    from meshproof.compiler.resolve.statements import Statements
    from meshproof.compiler.resolve.values import Values
    from meshproof.dsl.ast.values import StringValue
    from meshproof.dsl.source import Span

LANGUAGE = 1
"""The newest version of the language, and so far the only one."""


def find_mesh(statements: Statements, nowhere: Span, findings: Findings) -> Mesh | None:
    """The one `mesh` block, its language and environments checked; `nowhere` is blamed if there is none."""
    meshes = statements.every(Mesh)
    if not meshes:
        advice = 'write `mesh NAME { language 1  trust-domain "…"  namespace … }` in one of the files'
        findings.add("MP205", "the policy has no `mesh` block", nowhere, help=advice)
        return None
    first, *others = meshes
    for other in others:
        findings.add(
            "MP206",
            "the policy has a second `mesh` block",
            other.name.span,
            labels=(Label(first.name.span, "the first one"),),
            help="all files of a policy folder are one policy",
        )
    _check_language(first, findings)
    seen: set[str] = set()
    for name in first.environments:
        if name.text in seen:
            findings.add("MP202", f"the environment `{name.text}` is listed twice", name.span)
        seen.add(name.text)
    return first


def _check_language(mesh: Mesh, findings: Findings) -> None:
    if mesh.language is None:
        findings.add(
            "MP207",
            f"`{mesh.name.text}` does not say its language, so it is read as the newest",
            mesh.name.span,
            help=f"write `language {LANGUAGE}`",
        )
    elif mesh.language.value != LANGUAGE:
        message = f"language {mesh.language.value} is not known"
        findings.add("MP208", message, mesh.language.span, help=f"write `language {LANGUAGE}`")


@dataclass(frozen=True, slots=True)
class Header:
    """What the `mesh` block says in one environment."""

    domains: TrustDomains
    namespace: str | None
    egress: Egress | None


def resolve_header(mesh: Mesh, statements: Statements, values: Values, findings: Findings) -> Header:
    """The header; whether egress is stated if there is an external is checked here."""
    own = None if mesh.trust_domain is None else _domain(mesh.trust_domain, values, findings)
    if mesh.trust_domain is None:
        findings.add(
            "MP209",
            f"the mesh `{mesh.name.text}` has no trust domain",
            mesh.name.span,
            help='write `trust-domain "cluster.local"`, or the one that your identities are in',
        )
    domains = TrustDomains(
        own or "unknown", _domains(mesh.aliases, values, findings), _domains(mesh.trusts, values, findings)
    )
    _check_apart(mesh, values, findings)
    externals = statements.every(External)
    if mesh.egress is None and externals:
        findings.add(
            "MP227",
            "there is an external, and the mesh does not say whether egress is closed",
            mesh.name.span,
            labels=(Label(externals[0].name.span, "this one"),),
            help="write `egress closed` (services call outside only what a rule allows) or `egress open`",
        )
    return Header(
        domains,
        None if mesh.namespace is None else mesh.namespace.text,
        None if mesh.egress is None else Egress(mesh.egress.egress.value),
    )


def _check_apart(mesh: Mesh, values: Values, findings: Findings) -> None:
    """A domain is ours or foreign: one that is named twice has two readings."""
    own = () if mesh.trust_domain is None else (mesh.trust_domain,)
    first: dict[str, StringValue] = {}
    for written in (*own, *mesh.aliases, *mesh.trusts):
        domain = values.string(written)
        if domain is None or first.setdefault(domain, written) is written:
            continue
        findings.add(
            "MP202",
            f"the trust domain `{domain}` is named twice",
            written.span,
            "again",
            labels=(Label(first[domain].span, "first here"),),
            help="a domain is ours (`trust-domain`, `aliases`) or foreign (`trusts`): name it once",
        )


def _domains(written: Iterable[StringValue], values: Values, findings: Findings) -> tuple[str, ...]:
    found = (_domain(one, values, findings) for one in written)
    return tuple(sorted({domain for domain in found if domain is not None}))


def _domain(written: StringValue, values: Values, findings: Findings) -> str | None:
    text = values.string(written)
    if text is not None and not is_trust_domain(text):
        advice = "it is written in lower-case letters, digits, `.`, `-` and `_`"
        findings.add("MP228", f"`{text}` is no trust domain", written.span, help=advice)
        return None
    return text
