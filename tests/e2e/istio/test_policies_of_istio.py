"""The policies of Istio's own unit tests (pilot/pkg/security/authz/builder/testdata), under several trust domains."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import yaml
from tests.e2e.istio.asking import requests_to
from tests.e2e.istio.clusters import Cluster, Doc, Pod
from tests.e2e.istio.comparing import Comparison
from tests.e2e.istio.istiod import SOURCE, Istiod
from tests.e2e.istio.scenes import JWKS, SECURITY, shared

from meshproof.compiler.ir.names import AuthorizerName
from meshproof.compiler.ir.request import Request

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

BUNDLES: tuple[Doc, ...] = (
    {},
    {"trustDomain": "cluster.local", "trustDomainAliases": []},
    {"trustDomain": "td1", "trustDomainAliases": ["cluster.local", "some-td"]},
    {"trustDomain": "td1", "trustDomainAliases": ["foobar"]},
    {"trustDomain": "new-td", "trustDomainAliases": ["old-td", "some-trustdomain"]},
)
PORTS = ((80, False), (80, False), (8000, False), (90, False), (90, True), (91, True), (777, True))
ISSUERS = ("requestPrincipals", "requestPrincipals-prefix-x", "https://example.com", "issuer", "iss1")


@pytest.fixture(scope="session")
def folder() -> Path:
    """The test data in the module cache."""
    command = ["go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio"]
    try:
        told = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs Go and the module istio.io/istio")
    found = Path(told) / "pilot/pkg/security/authz/builder/testdata"
    if not told or not found.is_dir():
        pytest.skip(f"needs the module istio.io/istio in the module cache: cd {SOURCE} && go mod download")
    return found


def _cluster(objects: list[Doc], bundle: Doc) -> Cluster:
    cluster = shared(**bundle)
    grpc = {"service": "rpc.authz.svc.cluster.local", "port": 9000}
    cluster.settings["extensionProviders"].append({"name": "default", "envoyExtAuthzGrpc": grpc})
    cluster.istio += objects
    cluster.pods.append(Pod("foo", "httpbin", "10.10.10.10", {"app": "httpbin", "version": "v1"}))
    ports = [{"name": "http", "port": 80}, {"name": "any", "port": 90}, {"name": "tcp", "port": 91}]
    cluster.service("foo", "httpbin", {"app": "httpbin"}, [*ports, {"name": "http-more", "port": 8000}])
    rules = [{"issuer": issuer, "jwks": JWKS} for issuer in ISSUERS]
    cluster.add("RequestAuthentication", SECURITY, "foo", "tokens", {"jwtRules": rules})
    return cluster


def _answered(request: Request) -> Request:
    """The provider of these policies is asked where our `rpc` is, so it says the same."""
    answer = (AuthorizerName("default"), dict(request.answers)[AuthorizerName("rpc")])
    return replace(request, answers=(*request.answers, answer))


def test_policies_of_istio(istiod: Istiod, draw: Random, folder: Path) -> None:
    found = Comparison()
    files = sorted(folder.glob("*/*-in.yaml"))
    assert len(files) > 20
    for objects in ([one for one in yaml.safe_load_all(file.read_text()) if one] for file in files):
        for bundle in BUNDLES:
            cluster = _cluster(objects, bundle)
            asked = requests_to(draw, cluster, PORTS, each=60)
            found.compare(cluster, istiod.push(cluster), ((pod, _answered(request)) for pod, request in asked))
    assert found.fault(at_least=2000, rarely=0.05) is None
