"""Policies as text, for tests that start from the language."""

from __future__ import annotations

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.resolve import Resolution, resolve
from meshproof.dsl.ast.document import Document
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile

MESH = 'mesh m { language 1  trust-domain "td"  namespace app  egress closed }\n'
"""The least that a policy has."""


def document_of(text: str, file: str = "policy.mesh") -> Document:
    """The tree of a text that must be free of syntax errors."""
    parsed = parse(SourceFile(file, text))
    assert parsed.is_sound, [found.message for found in parsed.diagnostics]
    return parsed.document


def resolve_text(text: str, *, has_mesh: bool = False) -> Resolution:
    """What a text means; it is given a `mesh` block unless it has one."""
    return resolve([document_of(text if has_mesh else MESH + text)])


def mesh_of(text: str, *, has_mesh: bool = False) -> Mesh:
    """The one mesh of a text without errors."""
    resolution = resolve_text(text, has_mesh=has_mesh)
    errors = [found.message for found in resolution.diagnostics if found.severity is Severity.ERROR]
    assert not errors, errors
    (mesh,) = resolution.meshes
    return mesh
