"""What was emitted is judged as it stands: by what the files state, with every word that their reader has to say."""

from __future__ import annotations

from dataclasses import replace

from tests.strategies.istio_mutated import OPTIONS, compiled
from tests.strategies.istio_mutation import mutated, put

from meshproof.compiler.backend.target import Lifted
from meshproof.compiler.driver.reading_back import judgement, read_back
from meshproof.compiler.driver.translating import translation_findings
from meshproof.compiler.ir.mesh import PathMode
from meshproof.compiler.verify.translation import TranslationVerdict
from meshproof.dsl.diagnostic import Diagnostic, Severity
from meshproof.targets.istio import TARGET

SHOP = compiled("shop")


def lifted() -> Lifted:
    return read_back(TARGET, SHOP.files, OPTIONS, SHOP.mesh)


def test_files_count_more_than_options() -> None:
    other = mutated(SHOP.files, put("mesh", "pathNormalization.normalization", "BASE"))
    given = replace(OPTIONS, settings=(*OPTIONS.settings, ("istio.trust-domain", "other"), ("istio.aliases", "x")))
    found = read_back(TARGET, other, given, SHOP.mesh).mesh

    assert found is not None
    assert (found.paths, found.trust_domain, found.aliases) == (PathMode.BASE, "td", ("old.td",))


def test_options_that_no_file_states_are_given() -> None:
    domain = replace(OPTIONS, settings=(("istio.cluster-domain", "example.org"),))
    edge = compiled("edge")
    found = read_back(TARGET, edge.files, domain, edge.mesh).transport

    assert found is not None
    assert {one.host for one in found.clients if one.node == "plain"} == {"plain.istio-ingress.svc.example.org"}


def test_a_word_of_the_reader_passes_no_gate() -> None:
    right = lifted()
    assert judgement(SHOP.mesh, right, SHOP.lowered.losses, OPTIONS.day).is_sound
    said = Diagnostic("MP713", Severity.INFO, "it is not modelled", subject="web")
    found = judgement(SHOP.mesh, replace(right, diagnostics=(said,)), SHOP.lowered.losses, OPTIONS.day)
    assert found.verdict is TranslationVerdict.UNKNOWN
    assert [(one.subject, one.reason) for one in found.undecided] == [("web", "it is not modelled")]


def test_a_connection_that_is_let_in_stops_the_compile_and_is_shown() -> None:
    found = SHOP.after(put("PeerAuthentication orders", "spec.mtls.mode", "PERMISSIVE"))
    first = translation_findings(SHOP.mesh, found, "Istio")[0]

    assert (first.code, first.severity, first.subject) == ("MP705", Severity.ERROR, "orders")
    assert first.message == (
        "at orders:http Istio lets callers without identity pass transport, and the policy refuses them"
    )
    assert first.notes == ("of such a request the policy says deny at transport, Istio deny at default",)
    assert [row.kind for row in first.evidence] == ["request"]
    (service,) = (one for one in SHOP.mesh.services if one.name == "orders")
    assert first.primary == service.origin.span


def test_a_connection_that_is_refused_stops_the_compile() -> None:
    found = SHOP.after(put("PeerAuthentication legacy", "spec.portLevelMtls.8080.mode", "STRICT"))
    codes = {one.code: one for one in translation_findings(SHOP.mesh, found, "Istio")}

    assert set(codes) == {"MP723"}
    assert found.connections
    assert not any(gap.is_looser for gap in found.connections)
