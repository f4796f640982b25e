"""Whom listeners let in by themselves: names, authority, plaintext."""

from __future__ import annotations

from typing import Any

import pytest
from tests.strategies.policy_text import mesh_of
from tests.unit.targets.appmesh.lift.composed.scenes import (
    DOMAIN,
    EDGE,
    FOREIGN,
    GATE,
    OLD,
    PAY,
    STRANGER,
    WEB,
    edge,
    may,
    names,
    pay,
    read,
    takes,
    told,
    understood,
    web,
    who,
)
from tests.unit.targets.appmesh.lift.scenes import listener, node, sds, tls

from meshproof.compiler.ir.mesh import PathMode

OTHERS = (web(), edge())


def test_names_are_those_who_come_in() -> None:
    mesh = understood(pay(takes(9000, WEB, OLD)), *OTHERS)
    assert who(mesh) == [WEB, OLD]
    assert who(mesh, "/admin", method="DELETE") == [WEB, OLD]
    assert mesh.paths is PathMode.MERGE_SLASHES


def test_services_and_gateways_are_those_of_the_policy_without_what_rules_say() -> None:
    known = mesh_of("service pay { port http 9000 }\nallow a: pay -> pay")
    mesh = understood(pay(takes(9000, "nobody.invalid")), known=known)
    assert [one.name for one in mesh.services] == ["pay"]
    assert who(mesh) == []


def test_nobody_has_a_name_below_invalid() -> None:
    assert who(understood(pay(takes(9000, "nobody.invalid")), *OTHERS)) == []


def test_the_authority_alone_lets_in_every_certificate_of_its_domain() -> None:
    mesh = understood(pay(takes(9000)), *OTHERS)
    assert who(mesh) == [WEB, PAY, OLD, EDGE, GATE, STRANGER]


def test_an_empty_list_of_names_is_no_list() -> None:
    made = listener(9000, tls=tls("STRICT", PAY, {**names(), "subjectAlternativeNames": {"match": {"exact": []}}}))
    assert STRANGER in who(understood(pay(made), *OTHERS))


def test_plaintext_comes_in_whatever_the_names_are_where_it_is_taken() -> None:
    assert who(understood(pay(takes(9000, WEB, mode="PERMISSIVE")), *OTHERS)) == [None, WEB]


@pytest.mark.parametrize("made", [listener(9000), listener(9000, tls=tls("DISABLED", PAY))])
def test_without_tls_everybody_comes_in_without_an_identity(made: dict[str, Any]) -> None:
    mesh = understood(pay(made), *OTHERS)
    assert may(mesh, None) is True
    assert who(mesh) == [None]


@pytest.mark.parametrize("mode", ["STRICT", "PERMISSIVE"])
def test_tls_that_asks_nobody_is_not_what_the_policy_knows(mode: str) -> None:
    made = pay(listener(9000, tls=tls(mode, PAY)))
    assert told(made, *OTHERS) == ["`pay_app:9000` takes TLS and asks nobody who they are"]
    mesh = read(made, *OTHERS).mesh
    assert mesh is not None
    assert may(mesh, None) is True


def test_a_domain_that_is_trusted_is_that_of_the_listener_alone() -> None:
    known = mesh_of(
        'mesh m { language 1  trust-domain "td"  namespace app  egress closed  trusts "other.example" }\n'
        "service pay { port http 9000 }",
        has_mesh=True,
    )
    ours = understood(pay(takes(9000)), known=known)
    assert FOREIGN not in who(ours)
    theirs = pay(listener(9000, tls=tls("STRICT", PAY, names(trust="spiffe://other.example"))))
    assert who(understood(theirs, known=known)) == [FOREIGN]


def test_names_that_their_authority_does_not_vouch_for_are_not_understood() -> None:
    found = told(pay(takes(9000, FOREIGN, "pay.local")), *OTHERS)
    assert len(found) == 2
    assert who(_mesh(pay(takes(9000, FOREIGN, "pay.local")), *OTHERS)) == []


def test_an_authority_that_the_policy_does_not_trust_is_not_understood() -> None:
    made = pay(listener(9000, tls=tls("STRICT", PAY, names(trust="spiffe://elsewhere"))))
    assert told(made, *OTHERS) == ["`pay_app:9000` trusts `spiffe://elsewhere`, of which the policy knows nothing"]


def test_a_port_that_the_proxy_does_not_guard_is_not_understood() -> None:
    assert told(pay(), *OTHERS) == ["`pay` has the port 9000, and its proxy does not listen there"]


def test_a_service_without_a_node_is_not_understood() -> None:
    assert told(*OTHERS) == ["`pay` has ports, and no virtual node"]


def test_a_gateway_that_no_file_has_is_not_understood() -> None:
    assert told(pay(takes(9000, WEB)), web()) == ["`edge` has no virtual gateway"]


def test_another_protocol_is_not_understood() -> None:
    found = told(pay(takes(9000, WEB, protocol="tcp")), *OTHERS)
    assert found == ["`pay` speaks http on 9000, and its proxy tcp"]


def test_the_identity_of_another_is_not_understood() -> None:
    found = told(pay(takes(9000, WEB), shows=WEB), *OTHERS)
    assert found == [f"`pay_app` shows the certificate `{WEB}`, and the policy knows it as `{PAY}`"]


def test_two_services_at_one_address_are_not_understood() -> None:
    made = pay(takes(9000, WEB))
    made["spec"]["serviceDiscovery"]["dns"]["hostname"] = "Web.App.svc.cluster.local."
    found = told(made, *OTHERS)
    assert "`pay_app` is not found at `pay.app.svc.cluster.local`, where the workload is" in found
    assert {"`web_app` is found where `pay` is", "`pay_app` is found where `web` is"} & {*found}


def test_versions_take_the_same_callers() -> None:
    known = mesh_of("service web { port http 8080 }\nservice pay { port http 9000  versions v1, v2 }")
    first, second = (node(f"pay_app_{one}", takes(9000, WEB), shows=PAY) for one in ("v1", "v2"))
    assert who(understood(first, second, web(), known=known)) == [WEB]
    other = node("pay_app_v2", takes(9000, WEB, OLD), shows=PAY)
    assert told(first, other, web(), known=known) == ["`pay` has versions whose listeners take different callers"]


def test_of_two_listeners_on_a_port_nothing_is_told() -> None:
    assert read(pay(takes(9000, WEB), takes(9000, OLD)), *OTHERS).mesh is None


def test_files_that_app_mesh_refuses_mean_nothing() -> None:
    lifted = read(pay({**takes(9000, WEB), "portMapping": {"port": 0, "protocol": "http"}}), *OTHERS)
    assert lifted.mesh is None
    assert lifted.diagnostics


def test_a_certificate_by_file_is_taken_for_ours() -> None:
    validation = {"trust": {"file": {"certificateChain": "/ca.pem"}}}
    own = {"file": {"certificateChain": "/c.pem", "privateKey": "/k.pem"}}
    made = listener(9000, tls={"mode": "STRICT", "certificate": own, "validation": validation})
    assert who(understood(pay(made, shows=None), *OTHERS)) == [WEB, PAY, OLD, EDGE, GATE, STRANGER]


def _mesh(*resources: Any) -> Any:  # noqa: ANN401  JSON
    return read(*resources).mesh


def test_trust_domains_are_written_with_or_without_their_scheme() -> None:
    made = pay(listener(9000, tls=tls("STRICT", PAY, {**names(WEB), "trust": sds(DOMAIN.removeprefix("spiffe://"))})))
    assert who(understood(made, *OTHERS)) == [WEB]


def test_a_service_of_another_authority_than_its_callers_trust_is_not_understood() -> None:
    foreign = mesh_of(
        """
        mesh m { language 1  trust-domain "td"  trusts "vm.corp"  namespace app  egress closed }
        service web { port http 8080 }
        service legacy { identity "spiffe://vm.corp/legacy"  port http 9000 }
        """,
        has_mesh=True,
    )
    legacy = "spiffe://vm.corp/legacy"
    made = node("legacy_app", takes(9000, WEB, own=legacy), shows=legacy)
    assert told(web(), made, known=foreign) == [
        "`legacy` shows callers a certificate of an authority that they do not trust"
    ]


def test_a_node_elsewhere_than_its_workload_is_not_understood() -> None:
    made = pay(takes(9000, WEB))
    made["spec"]["serviceDiscovery"]["dns"]["hostname"] = "another.example"
    assert told(made, *OTHERS) == ["`pay_app` is not found at `pay.app.svc.cluster.local`, where the workload is"]


def test_what_is_named_and_not_there_is_not_understood() -> None:
    calling = node("web_app", takes(8080, "nobody.invalid", own=WEB), shows=WEB, backends=("gone",))
    assert told(calling, edge(), pay(takes(9000, WEB))) == [
        "`web_app` does not fit to the others: there is no virtual service `gone`"
    ]
