"""The formats that a report can be written in. A renderer is loaded when it is asked for, not before."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from meshproof.compiler.report.look import Look
    from meshproof.compiler.report.model import Report
    from meshproof.dsl.diagnostic import Severity


class Renderer(Protocol):
    """Writes a report down. Pure and deterministic; the text ends with a line end, or is empty."""

    def __call__(self, report: Report, look: Look, fail_level: Severity) -> str:
        """The report as text. Only the format for people heeds `look`."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """A format; `module` binds its renderer to `render`."""

    name: str
    module: str
    summary: str

    def load(self) -> Renderer:
        """The renderer."""
        return cast("Renderer", import_module(self.module).render)


FORMATS: tuple[Format, ...] = (
    Format("human", "meshproof.compiler.report.text", "for people: findings with their source lines"),
    Format("json", "meshproof.compiler.report.json", "schema `meshproof/report/v1`"),
    Format("sarif", "meshproof.compiler.report.sarif", "SARIF 2.1.0, for code scanning"),
    Format("junit", "meshproof.compiler.report.junit", "claims, tests and findings as test cases"),
    Format("github", "meshproof.compiler.report.github", "annotations of a workflow of GitHub"),
    Format("gitlab", "meshproof.compiler.report.gitlab", "a code quality report of GitLab"),
    Format("markdown", "meshproof.compiler.report.markdown", "for a comment on a merge request"),
    Format("csv", "meshproof.compiler.report.csv", "one table of findings, claims and test lines"),
)


def find_format(name: str) -> Format | None:
    """The format of that name."""
    return next((entry for entry in FORMATS if entry.name == name), None)
