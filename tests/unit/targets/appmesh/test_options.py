"""Options of App Mesh: what is taken, and what is refused with a way out."""

from __future__ import annotations

import pytest

from meshproof.targets.appmesh.options import BadOptionError, Files, Options, Rendering, read_options


def test_nothing_given_is_the_defaults() -> None:
    """And options of other targets are none of App Mesh's."""
    assert read_options([("istio.root-namespace", "mesh")]) == Options()


def test_options_are_read() -> None:
    """Each into its field."""
    found = read_options(
        [
            ("app-mesh.mesh", "shop"),
            ("app-mesh.parameter.Stage", "beta"),
            ("app-mesh.rendering", "api"),
            ("app-mesh.discovery", "dns:{name}.{namespace}.internal"),
            ("app-mesh.certificates", "file:/certs/chain.pem,/certs/key.pem,/certs/ca.pem"),
            ("app-mesh.quota.gateways", "5"),
        ]
    )
    assert found == Options(
        mesh="shop",
        parameters={"Stage": "beta"},
        rendering=Rendering.API,
        discovery="{name}.{namespace}.internal",
        files=Files("/certs/chain.pem", "/certs/key.pem", "/certs/ca.pem"),
        gateways=5,
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("app-mesh.other", "x"),
        ("app-mesh.rendering", "terraform"),
        ("app-mesh.require", "cooperative"),
        ("app-mesh.discovery", "dns:{name}.internal"),
        ("app-mesh.discovery", "dns:{name.__class__}.{namespace}"),
        ("app-mesh.discovery", "dns:{name}.{namespace"),
        ("app-mesh.discovery", "dns:{name}.{namespace}.{version}"),
        ("app-mesh.version-discovery", "dns:{name}.{namespace}"),
        ("app-mesh.certificates", "file:/chain,/key"),
        ("app-mesh.certificates", "acm"),
        ("app-mesh.account", "*"),
        ("app-mesh.gate-account", "a/b"),
        ("app-mesh.first-door-port", "70000"),
        ("app-mesh.quota.gateways", "0"),
        ("app-mesh.quota.gateways", "٣"),
    ],
)
def test_what_cannot_be_is_refused_with_advice(key: str, value: str) -> None:
    """A word of what there is instead."""
    with pytest.raises(BadOptionError) as found:
        read_options([(key, value)])
    assert key in str(found.value)
    assert found.value.advice


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("app-mesh.rendring", "did you mean `app-mesh.rendering`?"),
        ("app-mesh.zzz", "there are `app-mesh.mesh`, "),
    ],
)
def test_a_name_that_is_none_is_answered_with_the_nearest(key: str, advice: str) -> None:
    with pytest.raises(BadOptionError) as found:
        read_options([(key, "x")])
    assert found.value.advice.startswith(advice)
