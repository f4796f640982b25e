"""Evidence: a folder from which someone else can check again what was proved, without having to believe this program.

What it holds is a function of the policy, the day, the options and the version: no time, no path of a machine. Further
files (control mappings, a page for people, a signature) are further artifacts of `bundle`; whoever reads evidence goes
by the list in its manifest.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.output import Ownership, refuse_foreign, write_output
from meshproof.compiler.driver.evidence_inputs import Input, inputs_of
from meshproof.compiler.driver.evidence_text import readme
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.serde import digest, dump
from meshproof.compiler.report.json import render
from meshproof.compiler.report.look import Look
from meshproof.compiler.report.model import ClaimVerdict
from meshproof.compiler.smt.policy import enforced
from meshproof.dsl.loader.files import EVIDENCE, EVIDENCE_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from meshproof.compiler.driver.options import JudgeOptions
    from meshproof.compiler.driver.policy import Policy
    from meshproof.compiler.ir.json_text import Json
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.report.model import ClaimResult, Report
    from meshproof.compiler.verify.questions import Question
    from meshproof.dsl.diagnostic import Severity

MANIFEST = Ownership(EVIDENCE, EVIDENCE_SCHEMA)
REPORT = "report.json"
_PLAIN = re.compile(r"[^A-Za-z0-9._-]")
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of a claim in one environment, and the questions that this rests on."""

    environment: str | None
    claim: ClaimResult
    questions: tuple[Question, ...]


class Proofs:
    """The proofs of a run, in the order in which they are told; a `Keep` of `judge`."""

    def __init__(self) -> None:
        self._kept: list[Proof] = []

    def keep(self, environment: str | None, claim: ClaimResult, questions: tuple[Question, ...]) -> None:
        """Take note of a claim."""
        self._kept.append(Proof(environment, claim, questions))

    @property
    def kept(self) -> tuple[Proof, ...]:
        """Every claim that was judged."""
        return tuple(self._kept)


@dataclass(frozen=True, slots=True)
class Run:
    """What the evidence is of: a policy, how it was judged, what came of it. `version` is that of the program."""

    policy: Policy
    options: JudgeOptions
    report: Report
    proofs: tuple[Proof, ...]
    fail_level: Severity
    version: str


def refuse_folder(folder: Path) -> None:
    """Raise OutputRefusedError unless evidence may be written there: the folder is new, empty or evidence."""
    refuse_foreign(folder, MANIFEST)


def write_evidence(run: Run, folder: Path) -> tuple[str, ...]:
    """Replace the folder by the evidence of a run; the files.

    Raises:
        SecretFoundError: an input must not be handed on.
        OutputRefusedError, OSError: the folder is not ours, or cannot be written; it is as it was.
    """
    return write_output(bundle(run), folder, MANIFEST).files


def bundle(run: Run) -> tuple[Artifact, ...]:
    """Every file of the evidence, the manifest that lists all others last. Raises SecretFoundError."""
    inputs = inputs_of(run.policy)
    models = {_model_file(mesh): mesh for mesh in run.policy.meshes}
    asked = {query_file(question): question for proof in run.proofs for question in proof.questions}
    files = (
        *(Artifact(one.file, one.content) for one in inputs),
        *(Artifact(file, dump(mesh)) for file, mesh in models.items()),
        *(Artifact(file, query_text(question).encode()) for file, question in sorted(asked.items())),
        Artifact(REPORT, render(run.report, Look(), run.fail_level).encode("utf-8", "backslashreplace")),
        Artifact("README.md", readme(run.options, inputs, run.report, run.policy).encode()),
    )
    return (*files, _manifest(run, inputs, models, files))


def query_file(question: Question) -> str:
    """The file of a question: named by its port and by what it says, so that claims share what they share."""
    mark = hashlib.sha256(query_text(question).encode()).hexdigest()[:_DIGITS]
    kind = ".strings" if question.is_over_strings else ""
    return f"queries/{_PLAIN.sub('_', question.port)}-{mark}{kind}.smt2"


def query_text(question: Question) -> str:
    """The file's text: what is asked, and what comes of it."""
    return (
        f"; a question about {json.dumps(question.port)}: is there such a request?\n"
        f"; expected: {question.expected}\n"
        f"(set-info :smt-lib-version 2.6)\n(set-info :status {question.expected})\n{question.script}"
    )


def _model_file(mesh: Mesh) -> str:
    return "model.json" if mesh.environment is None else f"model-{_PLAIN.sub('_', mesh.environment)}.json"


def _manifest(run: Run, inputs: Sequence[Input], models: dict[str, Mesh], files: Sequence[Artifact]) -> Artifact:
    options = run.options
    document: dict[str, Json] = {
        "schema": MANIFEST.schema,
        "meshproof": run.version,
        "solver": f"z3-solver {version_of('z3-solver')}",
        "as_of": options.day.isoformat(),
        "policy": run.report.policy,
        "origin": run.policy.origin.value,
        "options": {
            "audit_as_enforced": options.audit_as_enforced,
            "cross_check": options.is_cross_checked,
            "only": list(options.only),
            "strict": options.is_strict,
            "target": dict(run.policy.settings),
            "timeout_ms": options.timeout_ms,
        },
        "inputs": [{"path": one.shown, "file": one.file} for one in inputs],
        "models": [
            {"environment": mesh.environment, "file": file, "digest": digest(mesh)} for file, mesh in models.items()
        ],
        "claims": [_claim(proof, run) for proof in run.proofs],
        "files": {
            one.path: {"sha256": hashlib.sha256(one.content).hexdigest(), "size": len(one.content)}
            for one in sorted(files)
        },
    }
    return Artifact(MANIFEST.name, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())


def _claim(proof: Proof, run: Run) -> Json:
    claim = proof.claim
    shortfall = _shortfall(proof, run)
    remark = "vacuous: nothing could break it" if claim.is_vacuous else None
    return {
        "name": claim.name,
        "claim": claim.text,
        "environment": proof.environment,
        "verdict": claim.verdict.value,
        "status": "satisfied" if shortfall is None else "not-satisfied",
        "reason": remark if shortfall is None else shortfall,
        "controls": [{"framework": one.framework, "control": one.control} for one in claim.controls],
        "queries": [
            {"file": query_file(question), "expected": question.expected.value} for question in proof.questions
        ],
    }


def _shortfall(proof: Proof, run: Run) -> str | None:
    """Why a claim is not satisfied; None if it is, of what is enforced, and whoever asks again comes to the same."""
    claim = proof.claim
    match claim.verdict:
        case ClaimVerdict.REFUTED:
            return "refuted, and accepted by a waiver" if claim.is_waived else "refuted"
        case ClaimVerdict.UNKNOWN:
            return f"unknown: {claim.reason}"
        case ClaimVerdict.PROVED:
            return _shortfall_of_proof(proof, run)


def _shortfall_of_proof(proof: Proof, run: Run) -> str | None:
    if any(question.expected.value == "unknown" for question in proof.questions):
        return "proved, but a query was not answered again in time"
    if run.options.is_strict and proof.claim.is_vacuous:
        return "vacuous: nothing could break it"
    mesh = next(mesh for mesh in run.policy.meshes if mesh.environment == proof.environment)
    if mesh.judgement is Judgement.COOPERATIVE:
        return "proved cooperatively: callers' own proxies keep it, and nobody enforces it"
    if run.options.audit_as_enforced and enforced(mesh) != mesh:
        return "proved as if rules under `audit` were enforced, which they are not"
    return None
