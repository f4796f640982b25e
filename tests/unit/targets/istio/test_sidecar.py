"""What senders' proxies know outside the mesh, and until when."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Specs = Callable[..., dict[str, Any]]
Codes = Callable[..., list[str]]
Lower = Callable[..., Any]

A = "service a { port http 80 }\nservice b { namespace other }\nservice c {}\n"
WEB = 'external web { hosts "api.example" port http 80 }\n'
TLS = 'external tls { hosts "api.example" port https 443 }\n'


def ends(lower: Lower, text: str) -> dict[str, str | None]:
    """The first wrong day of the objects for externals, by kind and name."""
    found = lower(A + text)
    wanted = {"Sidecar", "ServiceEntry", "DestinationRule", "VirtualService"}
    return {
        f"{one.kind} {one.namespace}/{one.name.removeprefix('meshproof-')}": one.valid_until and str(one.valid_until)
        for one in found.objects
        if one.kind in wanted
    }


def test_files_say_when_an_allow_to_an_external_ends(lower: Lower) -> None:
    text = TLS + 'allow x: { a, b } -> tls { because "x" until 2027-01-31 }\nallow y: c -> tls'
    assert ends(lower, text) == {
        "Sidecar app/a": "2027-02-01",
        "Sidecar other/b": "2027-02-01",
        "Sidecar app/c": None,
        "ServiceEntry app/tls": "2027-02-01",
        "VirtualService app/a": None,
    }
    both = text.replace("{ a, b }", "a")
    assert ends(lower, both)["ServiceEntry app/tls"] is None
    longer = text + '\nallow z: { a, b } -> tls { because "x" until 2027-03-31 }'
    assert ends(lower, longer)["Sidecar app/a"] == "2027-04-01"


def test_through_a_gateway_the_last_port_counts(lower: Lower) -> None:
    relay = "gateway egress { namespace out  port tls 443 -> 8443 }\n"
    relay += 'external api { hosts "api.example" port https 443 originate via egress }\n'
    found = ends(lower, relay + 'allow x: a -> api { because "x" until 2027-01-31 }')
    assert found["Sidecar app/a"] == "2027-02-01"
    assert found["VirtualService out/via-api"] == "2027-02-01"


def test_open_egress_knows_externals_for_good(lower: Lower) -> None:
    mesh = 'mesh m { language 1 trust-domain "td" namespace app egress open }\n'
    found = lower(mesh + A + TLS + 'allow x: a -> tls { because "x" until 2027-01-31 }', has_mesh=True)
    (entry,) = [one for one in found.objects if one.kind == "ServiceEntry"]
    assert entry.valid_until is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.example", ["MP701"]),
        ("*.example", ["MP701"]),
        ("other.example", []),
        ("xapi.example", []),
    ],
)
def test_a_host_opens_every_external_that_has_it(codes: Codes, host: str, expected: list[str]) -> None:
    other = f'external other {{ hosts "{host}" port https 443 }}\n'
    assert codes(A + WEB + other + "allow a -> web") == expected
    assert codes(A + WEB + other + "allow a -> web\nallow a -> other") == []


def test_an_open_mesh_opens_every_host_anyway(codes: Codes) -> None:
    mesh = 'mesh m { language 1 trust-domain "td" namespace app egress open }\n'
    assert codes(mesh + A + WEB + TLS + "allow a -> web", has_mesh=True) == []


def test_senders_do_not_retry_externals_unasked(specs: Specs) -> None:
    found = specs("VirtualService", A + WEB + "allow r: { a, b } -> web")["app/web"]
    to = {"destination": {"host": "api.example", "port": {"number": 80}}}
    assert found == {
        "hosts": ["api.example"],
        "exportTo": [".", "other"],
        "http": [{"match": [{"port": 80}], "route": [to], "retries": {"attempts": 0}}],
    }
    assert "app/tls" not in specs("VirtualService", A + TLS + "allow a -> tls")


def test_the_route_of_an_external(specs: Specs) -> None:
    text = A + 'external web { hosts "x.example", "y.example" port http 80 }\nallow a -> web\n'
    text += "route web { GET /a => web { timeout 2s }\n otherwise => web\n limit connections 10 }"
    found = specs("VirtualService", text)
    assert set(found) == {"app/a", "app/web-x-example", "app/web-y-example"}
    first, last = found["app/web-y-example"]["http"]
    assert (first["timeout"], last.get("timeout")) == ("2s", None)
    assert first["route"][0]["destination"]["host"] == "y.example"
    (level,) = specs("DestinationRule", text)["app/web-x-example"]["trafficPolicy"]["portLevelSettings"]
    assert level == {"port": {"number": 80}, "connectionPool": {"tcp": {"maxConnections": 10}}}


def test_the_route_of_an_external_behind_a_gateway_is_the_gateways(codes: Codes) -> None:
    relay = "gateway egress { namespace out  port tls 443 -> 8443 }\n"
    relay += 'external api { hosts "api.example" port https 443 originate via egress }\nallow a -> api\n'
    assert codes(A + relay + "route api { otherwise => api }") == ["MP701"]


def test_two_things_with_one_host_share_a_route(codes: Codes, lower: Lower) -> None:
    more = 'external more { hosts "api.example" port http 8080 }\n'
    assert codes(A + WEB + more + "allow a -> web\nallow a -> more") == ["MP706"]
    assert codes('service x { port http 80 name "z" }\nservice y { port http 81 name "z" }') == ["MP706"]
    found = lower(A + WEB + TLS + "allow a -> web\nallow a -> tls")
    assert [one.code for one in found.diagnostics] == []
    assert json.dumps(found.source_map, default=str)
