"""What holds for the whole mesh: the ConfigMap `istio`, Istio's defaults, and options that win."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies.istio_lifting import HTTP, WORKLOAD, allows, api, config, judged, lift, policy, read

from meshproof.compiler.ir.mesh import PathMode
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.semantics import NotModelled
from meshproof.targets.istio.lift.durations import milliseconds


def test_defaults_are_istios() -> None:
    settings = read(WORKLOAD).context.settings
    assert (settings.trust_domain, settings.aliases, settings.trusts) == ("cluster.local", (), ())
    assert (settings.root_namespace, settings.path_mode, settings.trusted_proxies) == ("istio-system", "BASE", 0)
    assert settings.providers == ()
    assert api().paths is PathMode.BASE


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("istio.path-normalization", "base"),
        ("istio.header-values", "all"),
        ("istio.custom-providers", "two"),
        ("istio.trusted-proxies", "-1"),
        ("istio.trusted-proxies", "x"),
        ("istio.nothing", "x"),
    ],
)
def test_options_that_cannot_be_taken_stop_the_reading(key: str, value: str) -> None:
    found = read(WORKLOAD, (key, value))
    assert found.mesh is None
    assert [one.code for one in found.diagnostics] == ["MP709"]


def test_options_of_other_targets_are_not_ours() -> None:
    assert read(WORKLOAD, ("app-mesh.x", "y")).diagnostics == ()


def test_the_config_map_of_the_root_namespace_is_taken() -> None:
    other = config("trustDomain: other.td").replace("istio-system", "elsewhere")
    assert api(other, config("trustDomain: own.td")).trust_domain == "own.td"
    assert api(other).trust_domain == "other.td"
    elsewhere = (("istio.root-namespace", "elsewhere"),)
    assert api(other, config("trustDomain: own.td"), settings=elsewhere).trust_domain == "other.td"


@pytest.mark.parametrize("text", ["a: [", "a: &x 1\nb: *x", "a: 1\na: 2"])
def test_a_mesh_configuration_that_cannot_be_read_is_told(text: str) -> None:
    found = read(WORKLOAD + config(text))
    assert [one.code for one in found.diagnostics] == ["MP712"]


TWO = "gatewayTopology: {numTrustedProxies: 2}"
GATEWAY = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: shop}
spec:
  template:
    metadata: {labels: {app: edge}, annotations: {inject.istio.io/templates: gateway, proxy.istio.io/config: "%s"}}
---
"""
REMOTE = policy("rules: [{from: [{source: {remoteIpBlocks: [192.0.2.0/24]}}]}]")
EDGE = replace(HTTP, destination=NodeName("shop/edge"), headers=(("x-forwarded-for", "192.0.2.1, 10.9.9.9"),))


@pytest.mark.parametrize(
    ("own", "mesh", "option", "proxies"),
    [
        ("", "{}", None, 0),
        ("", f"{{defaultConfig: {{{TWO}}}}}", None, 2),
        ("gatewayTopology: {numTrustedProxies: 1}", f"{{defaultConfig: {{{TWO}}}}}", None, 1),
        ("concurrency: 2", f"{{defaultConfig: {{{TWO}}}}}", None, 2),
        ("a: [", "{}", None, 0),
        ("", f"{{defaultConfig: {{{TWO}}}}}", "1", 1),
    ],
)
def test_the_gateway_or_the_mesh_says_whose_word_is_taken(
    own: str, mesh: str, option: str | None, proxies: int
) -> None:
    settings = () if option is None else (("istio.trusted-proxies", option),)
    found = lift(GATEWAY % own + config(mesh) + REMOTE, *settings)
    assert found.gateways[0].trusted_proxies == proxies
    assert allows(found, EDGE) is (proxies == 2)
    assert allows(found, EDGE, ip="192.0.2.7") is (proxies in {0, 2})


@pytest.mark.parametrize("text", ["discoverySelectors: [{matchLabels: {a: b}}]", "enableAutoMtls: false"])
def test_settings_that_are_not_modelled_make_everything_unknown(text: str) -> None:
    found = read(WORKLOAD + config(text))
    assert [one.code for one in found.diagnostics] == ["MP713"]
    assert found.mesh is not None
    with pytest.raises(NotModelled):
        judged(found.mesh)


def test_settings_are_accounted_for() -> None:
    found = read(WORKLOAD + config("enableAutoMtls: true\nnewThing: {a: 1}\naccessLogFile: /dev/stdout"))
    assert [(gap.object, gap.path, gap.is_unknown) for gap in found.accounts.gaps] == [
        ("mesh configuration", "newThing.a", False)
    ]
    assert found.mesh is not None
    assert allows(found.mesh)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1s", 1000),
        ("1.5s", 1500),
        ("1h30m", 5_400_000),
        ("250ms", 250),
        ("0.1ms", 0),
        ("2000us", 2),
        (".5s", 500),
        ("0", 0),
        ("+1s", 1000),
        ("-1s", None),
        ("1", None),
        ("", None),
        ("1d", None),
        ("1s ", None),
    ],
)
def test_durations(text: str, expected: int | None) -> None:
    assert milliseconds(text) == expected


REFUSED_PROVIDERS = {
    "a name with a dot": ("opa.local", "{service: opa.local, port: 9000}"),
    "a name in upper case": ("OPA", "{service: opa.local, port: 9000}"),
    "a hyphen at the end": ("opa-", "{service: opa.local, port: 9000}"),
    "a long name": ("o" * 64, "{service: opa.local, port: 9000}"),
    "no port": ("opa", "{service: opa.local}"),
    "a path without slash": ("opa", "{service: opa.local, port: 9000, pathPrefix: check}"),
    "all headers": ("opa", "{service: opa.local, port: 9000, includeRequestHeadersInCheck: ['*']}"),
}


@pytest.mark.parametrize(("name", "settings"), REFUSED_PROVIDERS.values(), ids=REFUSED_PROVIDERS.keys())
def test_a_provider_that_istiod_does_not_take_refuses(name: str, settings: str) -> None:
    providers = config(f"extensionProviders: [{{name: {name}, envoyExtAuthzHttp: {settings}}}]")
    mesh = api(providers, policy(f"action: CUSTOM\nprovider: {{name: {name}}}\nrules: [{{}}]"))
    assert not allows(mesh, answers={name: True})
    assert not allows(mesh)


def test_a_provider_whose_name_stands_twice_refuses() -> None:
    one = "{name: opa, envoyExtAuthzGrpc: {service: opa.local, port: 9000}}"
    asking = policy("action: CUSTOM\nprovider: {name: opa}\nrules: [{}]")
    assert allows(api(config(f"extensionProviders: [{one}]"), asking), answers={"opa": True})
    assert not allows(api(config(f"extensionProviders: [{one}, {one}]"), asking), answers={"opa": True})
    other = "{name: opa, zipkin: {service: z, port: 1}}"
    assert allows(api(config(f"extensionProviders: [{one}, {other}]"), asking), answers={"opa": True})
