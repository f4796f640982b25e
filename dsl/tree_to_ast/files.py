"""Whole files, what they use, and waivers."""

from __future__ import annotations

import re

from meshproof.dsl.ast.document import Binding, Document, Statement, UseFile, UsePack, Waive, WaiverCode
from meshproof.dsl.ast.sets import SetExpression
from meshproof.dsl.ast.values import Name, Text
from meshproof.dsl.problems import BY_CODE
from meshproof.dsl.suggest import closest
from meshproof.dsl.tree_to_ast.base import Setting, Settings
from meshproof.dsl.tree_to_ast.claims import ClaimsBuilder

_OF_A_PACK = re.compile(r"MP9\d+")


class TreeBuilder(ClaimsBuilder):
    """All productions of the grammar."""

    def document(self, _start: int, _end: int, *statements: Statement) -> Document:
        return Document(statements, span=self.span(0, len(self.text)))

    def use_file(self, start: int, end: int, path: Text, bindings: tuple[Binding, ...] | None) -> UseFile:
        return UseFile(path, bindings or (), span=self.span(start, end))

    def use_pack(self, start: int, end: int, pack: Text, bindings: tuple[Binding, ...] | None) -> UsePack:
        return UsePack(pack, bindings or (), span=self.span(start, end))

    def bindings(self, _start: int, _end: int, *bindings: Binding | None) -> tuple[Binding, ...]:
        bound = tuple(binding for binding in bindings if binding is not None)
        Settings(self, [Setting(binding.name.text, binding, binding.span) for binding in bound]).judge()
        return bound

    def binding(self, start: int, end: int, name: Name, members: SetExpression) -> Binding:
        return Binding(name, members, span=self.span(start, end))

    def waive(self, start: int, end: int, code: WaiverCode, target: SetExpression, *reasons: Setting) -> Waive:
        return Waive(code, target, Settings(self, reasons).reasons(), span=self.span(start, end))

    def waiver_code(self, start: int, end: int, code: str) -> WaiverCode:
        if code not in BY_CODE and not _OF_A_PACK.fullmatch(code):
            guess = closest(code, BY_CODE)
            advice = f"did you mean `{guess}`?" if guess else "`meshproof explain` lists the codes"
            self.find("MP121", f"`{code}` is no finding", self.span(start, end), "unknown", advice=advice)
        return WaiverCode(code, span=self.span(start, end))
