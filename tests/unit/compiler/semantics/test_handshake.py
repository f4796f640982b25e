from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.strategies.building import gateway, mesh, port, request, service
from tests.strategies.predicates import origin
from tests.strategies.vocabulary import DAY

from meshproof.compiler.ir.entities import External, Protocol
from meshproof.compiler.ir.mtls import MeshScope, MtlsMode, MtlsPolicy, NamespaceScope
from meshproof.compiler.ir.names import NodeName, SpiffeId
from meshproof.compiler.semantics.handshake import as_sent, canonical_identity, is_trusted, mode_of, passes_handshake

EXTERNAL = External(NodeName("stripe"), ("api.stripe.com",), (port(443, protocol=Protocol.HTTPS),), origin())


def test_without_a_statement_a_service_is_strict() -> None:
    assert mode_of(mesh(), service(), 8080, DAY) is MtlsMode.STRICT


@pytest.mark.parametrize("mode", list(MtlsMode))
def test_statements_are_for_services_alone(mode: MtlsMode) -> None:
    stated = replace(mesh(), mtls=(MtlsPolicy(MeshScope(), mode, origin()),))
    assert mode_of(stated, service(), 8080, DAY) is mode
    assert mode_of(stated, gateway(), 8080, DAY) is MtlsMode.PERMISSIVE
    assert mode_of(stated, EXTERNAL, 443, DAY) is MtlsMode.STRICT


def test_where_mtls_is_disabled_every_connection_passes() -> None:
    stated = replace(mesh(), mtls=(MtlsPolicy(NamespaceScope("shop"), MtlsMode.DISABLED, origin()),))
    assert passes_handshake(stated, service(), request(identity=None), DAY)


def test_an_alias_is_replaced_and_nothing_else() -> None:
    aliased = replace(mesh(), aliases=("old.local",), trusts=("partner.example",))
    assert canonical_identity(aliased, SpiffeId("old.local", "/a")) == SpiffeId("cluster.local", "/a")
    for domain in ("cluster.local", "partner.example", "stranger.example"):
        assert canonical_identity(aliased, SpiffeId(domain, "/a")) == SpiffeId(domain, "/a")


def test_trusted_are_ours_its_aliases_and_the_foreign_ones_named() -> None:
    aliased = replace(mesh(), aliases=("old.local",), trusts=("partner.example",))
    domains = ("cluster.local", "old.local", "partner.example", "stranger.example")
    assert [domain for domain in domains if is_trusted(aliased, SpiffeId(domain, "/a"))] == list(domains[:3])


def test_nobody_offers_an_identity_where_mtls_is_disabled() -> None:
    disabled = MtlsPolicy(NamespaceScope("shop"), MtlsMode.DISABLED, origin(), until=DAY)
    stated = replace(mesh(), mtls=(disabled,))
    sent = request(identity="spiffe://cluster.local/ns/shop/sa/front")

    assert as_sent(stated, sent, DAY) == replace(sent, source=replace(sent.source, identity=None))
    assert as_sent(stated, sent, DAY + timedelta(days=1)) == sent
    assert as_sent(stated, replace(sent, day=DAY + timedelta(days=1)), DAY).source == sent.source
    assert as_sent(mesh(), sent, DAY) == sent
