"""Externals that are called through a gateway: by their names, and sent on as they are."""

from __future__ import annotations

import pytest
from tests.strategies.istio_mutated import OPTIONS, compiled
from tests.strategies.istio_mutation import Change, cut, mutated, put

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.driver.reading_back import read_back
from meshproof.compiler.verify.translation_gaps import Compared, Gap
from meshproof.compiler.verify.translation_relays import relay_gaps
from meshproof.targets.istio import TARGET

RELAY = compiled("relay")
_TLS = "trafficPolicy.portLevelSettings.0.tls"


def gaps(files: tuple[Artifact, ...]) -> list[Gap]:
    found = read_back(TARGET, files, OPTIONS, RELAY.mesh)
    assert found.mesh is not None
    assert found.transport is not None
    names = {one.name: one.name for one in RELAY.mesh.nodes}
    return [*relay_gaps(Compared(RELAY.mesh, found.mesh, found.transport, OPTIONS.day, names))]


def test_what_is_as_the_policy_says_is_no_gap() -> None:
    assert gaps(RELAY.files) == []


@pytest.mark.parametrize(
    ("change", "emitted", "is_looser"),
    [
        (
            put("DestinationRule out", f"spec.subsets.1.{_TLS}.sni", "api.example"),
            "has senders call out as `api.example`",
            True,
        ),
        (cut("DestinationRule out", f"spec.subsets.1.{_TLS}.sni"), "has senders call out by no name", False),
        (
            put("VirtualService via-vault", "spec.tcp.0.route.0.destination.host", "api.example"),
            "sends calls of `vault.example` elsewhere, or not as they are",
            True,
        ),
        (cut("VirtualService via-vault", "spec.tcp"), "sends calls of `vault.example` nowhere", False),
    ],
)
def test_each_difference_is_found(change: Change, emitted: str, is_looser: bool) -> None:
    (found,) = gaps(mutated(RELAY.files, change))
    assert (found.subject, found.emitted, found.is_looser) == ("vault", emitted, is_looser)
