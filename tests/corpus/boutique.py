"""The Online Boutique as its chart renders it, beside the policy that says what its code needs.

What is granted is counted as (caller, what is called): by asking the interpreter about each, and from the regions of
a comparison. The frontend and the collector are left out of the counts: they take paths, and what the policy alone has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path

from meshproof.compiler.driver.diffing import Comparison, compare, read_sides
from meshproof.compiler.driver.policy import Reading, read_policy
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.report.model_diff import DiffReport, RegionReport
from meshproof.compiler.semantics import decide

DAY = date(2026, 11, 23)
POLICY = Path(__file__).parents[2] / "policies" / "examples" / "boutique"
APART = ("frontend", "opentelemetrycollector")

METHODS = {
    "adservice": ("GetAds",),
    "cartservice": ("AddItem", "GetCart", "EmptyCart"),
    "checkoutservice": ("PlaceOrder",),
    "currencyservice": ("GetSupportedCurrencies", "Convert"),
    "emailservice": ("SendOrderConfirmation",),
    "paymentservice": ("Charge",),
    "productcatalogservice": ("ListProducts", "GetProduct", "SearchProducts"),
    "recommendationservice": ("ListRecommendations",),
    "shippingservice": ("GetQuote", "ShipOrder"),
    "redis-cart": ("",),
}
"""The methods of each workload, as its protocol buffers have them; a database is called, that is all."""
CALLERS = (*METHODS, "frontend", "loadgenerator")


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One workload may call one method of another."""

    caller: str
    service: str
    method: str


@cache
def sides(chart: Path) -> tuple[Mesh, Mesh]:
    """What the chart means, and what the policy means in production."""
    (rendered,) = read_policy([chart]).meshes
    (wanted,) = read_policy([POLICY], Reading(environment="prod")).meshes
    return rendered, wanted


@cache
def comparison(chart: Path, *, by_workload: bool = False) -> DiffReport:
    """What `diff CHART POLICY --env prod` finds."""
    both = read_sides(str(chart), str(POLICY), Reading(environment="prod"))
    return compare(*both, Comparison(DAY, by_workload=by_workload))


def granted(mesh: Mesh, prefix: str = "") -> set[Grant]:
    """What the interpreter allows of all that could be called."""
    return {
        Grant(caller, service, method)
        for caller, (service, methods) in product(CALLERS, METHODS.items())
        for method in methods
        if _is_allowed(mesh, prefix, caller, service, method)
    }


def _is_allowed(mesh: Mesh, prefix: str, caller: str, service: str, method: str) -> bool:
    sender = next((one for one in mesh.services if one.name == prefix + caller), None)
    called = next(one for one in mesh.services if one.name == prefix + service)
    if sender is None:
        return False
    (port,) = called.ports
    peer, place = Peer(sender.identity.uri), NodeName(prefix + service)
    if not method:
        return decide(mesh, Request(peer, place, port.workload, RequestProtocol.TCP), DAY).is_allowed
    path = f"/hipstershop.{_api(service)}/{method}"
    request = Request(peer, place, port.workload, RequestProtocol.GRPC, method="POST", path=path, host=service)
    return decide(mesh, request, DAY).is_allowed


def _api(service: str) -> str:
    words = {"productcatalogservice": "ProductCatalogService"}
    return words.get(service, service.removesuffix("service").capitalize() + "Service")


def at_workloads(regions: tuple[RegionReport, ...]) -> Iterator[RegionReport]:
    """The regions at workloads that are counted."""
    return (one for one in regions if {_short(place) for place in one.destinations} & METHODS.keys())


def elsewhere(regions: tuple[RegionReport, ...]) -> set[str]:
    """Where the other regions are."""
    mine = set(at_workloads(regions))
    return {_short(place) for one in regions if one not in mine for place in one.destinations}


def grants_in(regions: tuple[RegionReport, ...]) -> list[Grant]:
    """What the regions at workloads that are counted take, one by one."""
    return [
        Grant(_short(source), _short(place), operation.rpartition("/")[2])
        for region in at_workloads(regions)
        for source, place in product(region.sources, region.destinations)
        for operation in region.operations or ("",)
    ]


def _short(name: str) -> str:
    return name.rpartition("/")[2].partition(":")[0]
