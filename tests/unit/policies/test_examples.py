"""The examples that ship: nothing to say about them, and the boutique allows what its code calls and nothing else."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import pytest

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import Policy, read_policy
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.report.model import ClaimVerdict, TestOutcome
from meshproof.compiler.semantics import decide
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.format import format_source
from meshproof.dsl.source import SourceFile

FOLDER = Path(__file__).parents[3] / "policies" / "examples"
EXAMPLES = sorted(path for path in FOLDER.iterdir() if path.is_dir())
DAY = date(2026, 11, 23)

# The RPCs of the boutique's protos/demo.proto, by the service that answers them.
RPCS = {
    "adservice": ("AdService/GetAds",),
    "cartservice": ("CartService/AddItem", "CartService/GetCart", "CartService/EmptyCart"),
    "checkoutservice": ("CheckoutService/PlaceOrder",),
    "currencyservice": ("CurrencyService/GetSupportedCurrencies", "CurrencyService/Convert"),
    "emailservice": ("EmailService/SendOrderConfirmation",),
    "paymentservice": ("PaymentService/Charge",),
    "productcatalogservice": (
        "ProductCatalogService/ListProducts",
        "ProductCatalogService/GetProduct",
        "ProductCatalogService/SearchProducts",
    ),
    "recommendationservice": ("RecommendationService/ListRecommendations",),
    "shippingservice": ("ShippingService/GetQuote", "ShippingService/ShipOrder"),
}
# What the code calls, as its call sites have it.
CALLS = {
    ("frontend", "AdService/GetAds"),
    ("frontend", "CartService/AddItem"),
    ("frontend", "CartService/GetCart"),
    ("frontend", "CartService/EmptyCart"),
    ("frontend", "CheckoutService/PlaceOrder"),
    ("frontend", "CurrencyService/GetSupportedCurrencies"),
    ("frontend", "CurrencyService/Convert"),
    ("frontend", "ProductCatalogService/ListProducts"),
    ("frontend", "ProductCatalogService/GetProduct"),
    ("frontend", "RecommendationService/ListRecommendations"),
    ("frontend", "ShippingService/GetQuote"),
    ("checkoutservice", "CartService/GetCart"),
    ("checkoutservice", "CartService/EmptyCart"),
    ("checkoutservice", "CurrencyService/Convert"),
    ("checkoutservice", "EmailService/SendOrderConfirmation"),
    ("checkoutservice", "PaymentService/Charge"),
    ("checkoutservice", "ProductCatalogService/GetProduct"),
    ("checkoutservice", "ShippingService/GetQuote"),
    ("checkoutservice", "ShippingService/ShipOrder"),
    ("recommendationservice", "ProductCatalogService/ListProducts"),
    ("cartservice", "redis-cart"),
}
PAGES = {
    *((method, path) for method in ("GET", "HEAD") for path in ("/", "/product/1", "/cart", "/static/a/b.css")),
    *(("POST", path) for path in ("/cart", "/cart/empty", "/cart/checkout", "/setCurrency")),
    *(("GET", path) for path in ("/logout", "/assistant", "/product-meta/1/2", "/robots.txt")),
}
PAGES_OF_LOAD = {
    *(("GET", path) for path in ("/", "/product/1", "/cart", "/logout")),
    *(("POST", path) for path in ("/cart", "/cart/empty", "/cart/checkout", "/setCurrency")),
}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
PATHS = sorted(
    {path for _, path in PAGES} | {"/_healthz", "/product", "/product/1/2", "/bot", "/admin", "/setCurrency/"}
)


@cache
def example(name: str) -> Policy:
    return read_policy([FOLDER / name])


def boutique(environment: str) -> Mesh:
    return next(mesh for mesh in example("boutique").meshes if mesh.environment == environment)


def identities(mesh: Mesh) -> dict[str, str]:
    """Every declared caller by name, and one whom nobody declared."""
    services = {str(node.name): node.identity.uri for node in mesh.services}
    gateways = {str(node.name): node.identity.uri for node in mesh.gateways}
    return {**services, **gateways, "stranger": "spiffe://cluster.local/ns/default/sa/default"}


def is_allowed(mesh: Mesh, request: Request) -> bool:
    return decide(mesh, request, DAY).is_allowed


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_nothing_is_wrong_with_it_and_everything_holds(folder: Path) -> None:
    report = judge(example(folder.name), JudgeOptions(day=DAY, is_strict=True))

    assert [one.diagnostic.message for one in report.findings if one.diagnostic.severity is not Severity.INFO] == []
    assert {claim.verdict for claim in report.claims} == {ClaimVerdict.PROVED}
    assert {test.outcome for test in report.tests} == {TestOutcome.PASSED}


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.mesh")), ids=lambda path: path.stem)
def test_it_is_in_the_layout_of_fmt(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert format_source(SourceFile(path.name, text)).text == text


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_boutique_allows_the_calls_of_its_code_and_no_other(environment: str) -> None:
    mesh = boutique(environment)
    allowed = set()
    for name, identity in identities(mesh).items():
        for service in mesh.services:
            (port, *others) = service.ports or (None,)
            assert others == []
            if port is None or service.name in {"frontend", "opentelemetrycollector"}:
                continue
            base = Request(Peer(identity), service.name, port.workload, RequestProtocol.TCP)
            if port.layer is Layer.TCP:
                allowed |= {(name, str(service.name))} if is_allowed(mesh, base) else set()
                continue
            for rpc in RPCS[service.name]:
                path = f"/hipstershop.{rpc}"
                call = Request(
                    Peer(identity), service.name, port.workload, RequestProtocol.GRPC, method="POST", path=path
                )
                allowed |= {(name, rpc)} if is_allowed(mesh, call) else set()

    assert allowed == CALLS


@pytest.mark.parametrize(("environment", "load"), [("dev", PAGES_OF_LOAD), ("test", PAGES_OF_LOAD), ("prod", set())])
def test_the_storefront_shows_its_pages_and_no_other(environment: str, load: set[tuple[str, str]]) -> None:
    mesh = boutique(environment)
    frontend = next(service for service in mesh.services if service.name == "frontend")
    callers = {**identities(mesh), "loadgenerator": "spiffe://cluster.local/ns/onlineboutique/sa/loadgenerator"}
    shown: dict[str, set[tuple[str, str]]] = {name: set() for name in callers}
    for name, identity in callers.items():
        for method in METHODS:
            for path in PATHS:
                request = Request(Peer(identity), frontend.name, 8080, RequestProtocol.HTTP, method=method, path=path)
                shown[name] |= {(method, path)} if is_allowed(mesh, request) else set()

    assert shown.pop("ingress") == PAGES
    assert shown.pop("loadgenerator") == load
    assert set().union(*shown.values()) == set()


def test_every_invariant_of_the_boutique_is_stated() -> None:
    titles = {prove.title.partition(":")[0] for mesh in example("boutique").meshes for prove in mesh.proofs}

    assert titles >= {f"OB{number}" for number in range(1, 10)}
