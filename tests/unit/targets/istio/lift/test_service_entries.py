"""ServiceEntries and WorkloadEntries: hosts that are no Services, and what stands behind them."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import allows, read
from tests.strategies.istio_routes import JOB, SHOP, WEB, an_object, sent, shop, virtual_service

from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics.errors import NotModelled


def entry(spec: str, name: str = "bank", namespace: str = "shop", created: str = "2026-01-01T00:00:00Z") -> str:
    return an_object("ServiceEntry", name, spec, namespace, created)


BANK = "hosts: [api.bank.example, pay.bank.example]\nports: [{number: 80, name: web, protocol: HTTP}]\nresolution: DNS"


def test_an_entry_is_one_external_with_all_its_hosts() -> None:
    (found,) = shop(entry(BANK)).externals
    assert (found.name, found.hosts) == ("shop/bank", ("api.bank.example", "pay.bank.example"))
    assert [(port.number, port.workload, port.layer) for port in found.ports] == [(80, 80, Layer.HTTP)]
    assert shop(entry(BANK, "old")).externals[0].name == "shop/old.serviceentry"  # a workload has the name


def test_requests_outside_arrive_where_the_entry_leads() -> None:
    numbers = "ports: [{number: 443, name: web, protocol: HTTP, targetPort: 8444}"
    spec = f"hosts: [api.bank.example]\nresolution: DNS\n{numbers}"
    (found,) = shop(entry(f"{spec}]")).externals
    assert [(port.number, port.workload) for port in found.ports] == [(443, 8444)]
    both = shop(entry(f"{spec}, {{number: 8444, name: alt, protocol: HTTP}}]")).externals[0]
    assert [(port.number, port.workload) for port in both.ports] == [(443, 443), (8444, 8444)]


def test_routes_to_externals_are_by_host() -> None:
    text = virtual_service(
        "hosts: [pay.bank.example]\nhttp: [{timeout: 3s, route: [{destination: {host: pay.bank.example}}]}]"
    )
    mesh = shop(entry(BANK), text)
    assert sent(mesh, "shop/bank", port=80, host="pay.bank.example") == {"shop/bank:80": 100}
    blocked = shop(entry(BANK), virtual_service("hosts: [pay.bank.example]\nhttp: [{directResponse: {status: 451}}]"))
    assert sent(blocked, "shop/bank", port=80, host="pay.bank.example") == 451
    assert sent(blocked, "shop/bank", port=80, host="api.bank.example") == {"shop/bank:80": 100}


def test_an_entry_is_seen_where_it_is_exported() -> None:
    mesh = shop(
        entry(f"{BANK}\nexportTo: [.]"),
        virtual_service("hosts: [api]\nhttp: [{route: [{destination: {host: api.bank.example}}]}]"),
    )
    assert sent(mesh) == {"shop/bank:80": 100}
    assert sent(mesh, identity=JOB) == {"api.bank.example:80": 100}


def test_the_own_namespaces_entry_comes_before_an_older_one() -> None:
    spec = "hosts: [x.example]\nports: [{number: 80, name: web, protocol: HTTP}]"
    mesh = shop(
        entry(spec, "far", "batch", "2020-01-01T00:00:00Z"),
        entry(spec, "near"),
        virtual_service("hosts: [api]\nhttp: [{route: [{destination: {host: x.example}}]}]"),
    )
    assert sent(mesh) == {"shop/near:80": 100}
    assert sent(mesh, identity=JOB) == {"batch/far:80": 100}


def test_a_wildcard_entry_takes_the_names_below_it() -> None:
    mesh = shop(
        entry("hosts: ['*.example']\nports: [{number: 80, name: web, protocol: HTTP}]", "wide"),
        virtual_service("hosts: [api]\nhttp: [{route: [{destination: {host: deep.x.example}}]}]"),
    )
    assert sent(mesh) == {"shop/wide:80": 100}


@pytest.mark.parametrize(
    "spec",
    [
        "location: MESH_INTERNAL\nworkloadSelector: {labels: {app: old}}",
        "location: MESH_INTERNAL\nresolution: DNS\nendpoints: [{address: old.shop.svc.cluster.local}]",
    ],
)
def test_entries_for_workloads_of_the_mesh(spec: str) -> None:
    ports = "ports: [{number: 81, name: http, protocol: HTTP, targetPort: 9080}]"
    mesh = shop(
        entry(f"hosts: [alias.example]\n{ports}\n{spec}", "alias"),
        virtual_service("hosts: [api]\nhttp: [{route: [{destination: {host: alias.example}}]}]"),
    )
    assert sent(mesh) == {"shop/old:9080": 100}
    assert not mesh.externals


def test_a_machine_is_a_workload() -> None:
    machine = an_object("WorkloadEntry", "vm", "address: 10.0.0.1\nlabels: {app: vm}\nserviceAccount: vm")
    ports = "ports: [{number: 81, name: http, protocol: HTTP, targetPort: 9080}]"
    spec = f"hosts: [vm.example]\n{ports}\nlocation: MESH_INTERNAL\nworkloadSelector: {{labels: {{app: vm}}}}"
    mesh = shop(machine, entry(spec, "vms"))
    assert {str(node.name): node.identity.uri for node in mesh.services}[
        "shop/vm"
    ] == "spiffe://cluster.local/ns/shop/sa/vm"
    assert sent(mesh, "shop/vm", port=9080, host="vm.example") == {"shop/vm:9080": 100}


def test_what_no_file_shows_inside_of_the_mesh_is_unknown() -> None:
    spec = "hosts: [in.example]\nlocation: MESH_INTERNAL\nports: [{number: 80, name: http, protocol: HTTP}]"
    request = Request(
        Peer(WEB), NodeName("shop/in"), 80, RequestProtocol.HTTP, method="GET", host="in.example", path="/"
    )
    with pytest.raises(NotModelled):
        allows(shop(entry(spec, "in")), request)
    messages = [one.message for one in read(SHOP + entry(spec, "in")).diagnostics]
    assert messages == ["what stands behind `shop/in` is in the mesh, but no file shows it"]


def test_a_host_that_no_file_declares_stands_for_something_outside() -> None:
    text = virtual_service("hosts: [api]\nhttp: [{route: [{destination: {host: gone.example, port: {number: 81}}}]}]")
    mesh = shop(text)
    assert [(one.name, [port.number for port in one.ports]) for one in mesh.externals] == [("gone.example", [81])]
    assert read(SHOP + text).diagnostics == (), "hosts are declared in other files more often than not"


def test_a_host_that_is_almost_one_that_files_declare_is_misspelt() -> None:
    host = "apii.shop.svc.cluster.local"
    text = virtual_service(f"hosts: [api]\nhttp: [{{route: [{{destination: {{host: {host}}}}}]}}]")
    messages = [one.message for one in read(SHOP + text).diagnostics]
    assert messages == [f"requests are sent to `{host}`, which no file declares"]
