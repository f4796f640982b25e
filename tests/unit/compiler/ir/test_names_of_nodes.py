"""How the destination of a request may be named in a mesh of manifests."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import lift, policy

from meshproof.compiler.ir.json_text import JsonError
from meshproof.compiler.ir.request_destination import read_destination


def _pods(name: str, app: str, namespace: str = "books", version: str = "v1") -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n"
        f"  template: {{metadata: {{labels: {{app: {app}, version: {version}}}}}, spec: {{containers: []}}}}\n---\n"
    )


def _service(name: str, namespace: str = "books") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 9080}}]}}\n---\n"
    )


OUTSIDE = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pay, namespace: books}
spec: {hosts: [api.pay.example, "*.bank.example"], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS}
---
"""
MESH = lift(
    _pods("reviews-v1", "reviews")
    + _pods("ratings-v1", "ratings")
    + _pods("ratings-v2", "ratings", version="v2")
    + _pods("web", "web")
    + _pods("web", "web", "other")
    + "".join(map(_service, ("reviews", "ratings", "web")))
    + _service("web", "other")
    + policy('selector: {matchLabels: {app: details}}\nrules: [{to: [{operation: {ports: ["80"]}}]}]', namespace="x")
    + OUTSIDE
)


@pytest.mark.parametrize(
    ("written", "node"),
    [
        ({"service": "books/reviews-v1"}, "books/reviews-v1"),
        ({"service": "reviews-v1"}, "books/reviews-v1"),
        ({"service": "reviews"}, "books/reviews-v1"),
        ({"service": "books/reviews"}, "books/reviews-v1"),
        ({"service": "reviews", "namespace": "books"}, "books/reviews-v1"),
        ({"service": "reviews.books"}, "books/reviews-v1"),
        ({"service": "reviews.books.svc"}, "books/reviews-v1"),
        ({"service": "reviews.books.svc.cluster.local"}, "books/reviews-v1"),
        ({"service": "web", "namespace": "other"}, "other/web"),
        ({"service": "web.other.svc.cluster.local"}, "other/web"),
        ({"service": "details"}, "x/details"),
        ({"service": "api.pay.example"}, "books/pay"),
        ({"service": "a.Bank.example"}, "books/pay"),
        ({"namespace": "books", "labels": {"app": "reviews"}}, "books/reviews-v1"),
        ({"namespace": "books", "labels": {"app": "ratings", "version": "v2", "tier": "back"}}, "books/ratings-v2"),
    ],
)
def test_one_that_is_meant(written: dict[str, object], node: str) -> None:
    assert read_destination(written, MESH).node == node  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"service": "web"}, "`web` may be `books/web`, `other/web`: name one of them"),
        ({"service": "ratings"}, "`ratings` may be `books/ratings-v1`, `books/ratings-v2`"),
        ({"service": "reviews", "namespace": "other"}, "nothing that is declared is named `other/reviews`"),
        ({"service": "reviws"}, "perhaps `reviews-v1` was meant"),
        ({"service": "reviews.books.example"}, "nothing that is declared is named `reviews.books.example`"),
        ({"service": "web", "namespace": "books", "labels": {}}, "a destination is a `service`, or a `namespace`"),
        ({"namespace": "books", "labels": {"app": "ratings"}}, "belong to `books/ratings-v1`, `books/ratings-v2`"),
        ({"namespace": "books", "labels": {}}, "belong to no workload"),
    ],
)
def test_candidates_are_named_where_it_may_be_several(written: dict[str, object], message: str) -> None:
    with pytest.raises(JsonError) as error:
        read_destination(written, MESH)  # type: ignore[arg-type]
    assert message in str(error.value)
