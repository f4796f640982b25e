"""A contract type for import-linter: a package may import itself, what is listed, and nothing else of this project.

import-linter's own types say what is forbidden, so a module made tomorrow would be allowed everywhere. The table of
architecture ("who may import whom") says what is allowed; so does this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from importlinter import Contract, ContractCheck, fields, output
from importlinter.domain import helpers

if TYPE_CHECKING:
    from grimp import ImportGraph


class AllowListContract(Contract):
    """Each of `source_modules` (wildcards: each match) imports, of this project, itself and `allowed_modules` alone.

    Imports of packages of others are none of its business.
    """

    type_name = "allowlist"

    source_modules = fields.ListField(subfield=fields.ModuleExpressionField())
    allowed_modules = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 - import-linter's signature
        """Find every import that leaves a source package for a part of the project that is not listed."""
        del verbose
        allowed = tuple(str(name) for name in self.allowed_modules)  # type: ignore[attr-defined]  # a descriptor
        own_root = f"{self.session_options['root_packages'][0]}."
        illegal = []
        for source in sorted(
            module.name
            for module in helpers.module_expressions_to_modules(graph, self.source_modules)  # type: ignore[arg-type]  # a descriptor
        ):
            for importer in sorted({source} | graph.find_descendants(source)):
                for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                    if imported.startswith(own_root) and not _is_within(imported, (source, *allowed)):
                        lines = graph.get_import_details(importer=importer, imported=imported)
                        illegal.append((importer, imported, [detail["line_number"] for detail in lines]))
        return ContractCheck(kept=not illegal, metadata={"illegal": illegal})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each illegal import with its lines."""
        for importer, imported, lines in check.metadata["illegal"]:
            places = ", ".join(f"l.{line}" for line in lines)
            output.print_error(f"{importer} may not import {imported} ({places})", bold=False)


def _is_within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)
