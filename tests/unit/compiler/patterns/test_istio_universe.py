from __future__ import annotations

from random import Random

import pytest

from meshproof.compiler.patterns.istio_paths import IstioMode, istio_path
from meshproof.compiler.patterns.istio_universe import judged_paths, raw_path
from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.compiler.patterns.universe import spiffe_ids

PIECES = (
    *("/", ".", "..", ";", "%2e", "%2E", "%2f", "%5c", "%25", "%41", "%00", "%", "2", "e", "a", "A", "\\", "{", "|"),
    *('"', "[", "~", "%7e", "%zz", ":", "@", "=", "!", "`", "^", "<", "%C3%A4"),
)
SAMPLES = 4000


def _judged(raw: str, mode: IstioMode) -> str | None:
    try:
        return istio_path(raw, mode)
    except PatternRefused:
        return None


@pytest.mark.parametrize("mode", list(IstioMode))
def test_what_a_proxy_makes_of_any_path_is_among_those_it_may_judge(mode: IstioMode) -> None:
    rng = Random(7)  # noqa: S311  reproducible on purpose
    language = judged_paths(mode).language
    known = 0
    for _ in range(SAMPLES):
        raw = "/" + "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 6)))
        judged = _judged(raw, mode)
        assert judged is None or language.accepts(judged), (raw, judged)
        known += judged is not None
    assert known > SAMPLES // 2


@pytest.mark.parametrize("mode", list(IstioMode))
def test_every_path_that_may_be_judged_can_be_sent(mode: IstioMode) -> None:
    rng = Random(8)  # noqa: S311  reproducible on purpose
    language = judged_paths(mode).language
    members = 0
    for _ in range(SAMPLES):
        path = "/" + "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 6)))
        if language.accepts(path):
            members += 1
            assert _judged(raw_path(path, mode), mode) == path
    assert members > SAMPLES // 50


@pytest.mark.parametrize(
    ("path", "modes"),
    [
        ("/a/b", {"NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"}),
        ("/a//b", {"NONE", "BASE"}),
        ("//", {"NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"}),
        ("/a%2Fb", {"NONE", "BASE", "MERGE_SLASHES"}),
        ("/a/../b", {"NONE"}),
        ("/%61", {"NONE"}),
        ("/a{b", {"NONE"}),
        ("/.;x", {"NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"}),
        ("a", set()),
        ("/a?b", set()),
    ],
)
def test_which_modes_may_judge_a_path(path: str, modes: set[str]) -> None:
    assert {mode.value for mode in IstioMode if judged_paths(mode).language.accepts(path)} == modes


@pytest.mark.parametrize(
    ("path", "is_plain"),
    [
        ("/ns/a/sa/b", True),
        ("/vm/x", True),
        ("/ns/a/sa/b/x", True),
        ("/ns/a/sa/b/ns/c", False),
        ("/ns/a/x/sa/b/sa/c", False),
        ("/ns/ns", False),
        ("/ns/a/sa/xns/sax", True),
    ],
)
def test_identities_of_kubernetes_name_one_namespace_and_one_account(path: str, is_plain: bool) -> None:
    uri = f"spiffe://td{path}"
    assert spiffe_ids(("td",)).language.accepts(uri)
    assert spiffe_ids(("td",), names_one_account=True).language.accepts(uri) is is_plain
