"""Virtual nodes: whom they call, how they are found, and what is spelled out that App Mesh would fill in."""

from __future__ import annotations

import pytest
from tests.unit.targets.appmesh.lower.lowering import errors, every, listener, node, sound

from meshproof.compiler.backend.residual import Residual
from meshproof.targets.appmesh.model.mesh import Mesh
from meshproof.targets.appmesh.model.virtual_node import VirtualNode

SERVICES = "service a {}\nservice b { port http 80 }\nservice c { port tcp 90  versions v1, v2 }\n"
RULES = "allow x: a -> b\nallow y: a -> c\nallow z: b -> c"
OPEN = 'allow p: anyone -> b\nmtls disabled for b:http { because "x" until 2027-01-01 }\n'


def _called(one: VirtualNode) -> dict[str, tuple[str, ...] | None]:
    """The backends of a node, with the names that are taken there; None for plaintext."""
    found: dict[str, tuple[str, ...] | None] = {}
    for backend in one.spec.backends or ():
        assert backend.virtual_service is not None
        assert backend.virtual_service.client_policy is not None
        tls = backend.virtual_service.client_policy.tls
        names = None if tls is None else tls.validation.subject_alternative_names
        assert tls is None or tls.enforce
        found[backend.virtual_service.virtual_service_name] = None if names is None else names.match.exact
    return found


def test_backends_are_those_that_may_be_called() -> None:
    """Each with the identity that must answer."""
    found = sound(SERVICES + RULES)
    b, c = "b.app.svc.cluster.local", "c.app.svc.cluster.local"
    assert _called(node(found, "a_app")) == {b: ("spiffe://td/ns/app/sa/b",), c: ("spiffe://td/ns/app/sa/c",)}
    assert _called(node(found, "b_app")) == {c: ("spiffe://td/ns/app/sa/c",)}
    assert _called(node(found, "c_app_v1")) == {}
    (mesh,) = every(found, Mesh)
    assert mesh.spec is not None
    assert mesh.spec.egress_filter is not None
    assert mesh.spec.egress_filter.type == "DROP_ALL"


def test_plaintext_is_called_without_tls() -> None:
    """The defaults of the caller would ask for it."""
    assert _called(node(sound(SERVICES + OPEN), "a_app")) == {"b.app.svc.cluster.local": None}


def test_whatever_takes_no_plaintext_is_dialled_with_tls() -> None:
    """Doors of others too: who dials them is refused as who he is."""
    text = """
        service a {}
        service d {}
        service e { port http 80 -> 8080  port rest http 81 -> 8081  port db tcp 82 }
        mtls disabled for e:rest { because "x" until 2027-01-01 }
        allow p: anyone -> e:rest
        allow q: a -> e:db
        allow r: d -> e:http { GET /v1 }
        allow s: a -> e:http { GET /v2 }
    """
    found = sound(text)
    (backend,) = node(found, "a_app").spec.backends or ()
    assert backend.virtual_service is not None
    assert backend.virtual_service.client_policy is not None
    assert backend.virtual_service.client_policy.tls is not None
    assert backend.virtual_service.client_policy.tls.ports == (80, 82, 8080, 20000, 20001)


def test_versions_are_nodes_of_one_identity() -> None:
    """Found at different names, and taking in the same callers."""
    found = sound(SERVICES + RULES)
    one, other = node(found, "c_app_v1"), node(found, "c_app_v2")
    assert one.spec.listeners == other.spec.listeners
    hosts = [each.spec.service_discovery.dns.hostname for each in (one, other)]  # type: ignore[union-attr]
    assert hosts == ["c-v1.app.svc.cluster.local", "c-v2.app.svc.cluster.local"]


def test_options_say_where_nodes_and_certificates_are() -> None:
    """Files are of each proxy's own; SDS is asked by identity."""
    settings = {
        "app-mesh.discovery": "dns:{name}.{namespace}.local",
        "app-mesh.certificates": "file:/tls/chain,/tls/key,/tls/ca",
    }
    found = sound(SERVICES + RULES, settings)
    one = node(found, "b_app")
    assert one.spec.service_discovery is not None
    assert one.spec.service_discovery.dns is not None
    assert one.spec.service_discovery.dns.hostname == "b.app.local"
    tls = listener(found, "b_app").tls
    assert tls is not None
    assert tls.validation is not None
    assert tls.certificate.file is not None
    assert tls.certificate.sds is None
    assert tls.validation.trust.file is not None
    assert tls.validation.trust.file.certificate_chain == "/tls/ca"
    assert listener(sound(SERVICES), "b_app").tls.certificate.sds is not None  # type: ignore[union-attr]


def test_listeners_end_no_request_on_their_own() -> None:
    """App Mesh would after 15 s, whatever routes say."""
    timeout = listener(sound(SERVICES), "b_app").timeout
    assert timeout is not None
    assert timeout.http is not None
    assert timeout.http.per_request is not None
    assert timeout.http.per_request.value == 0


def test_bounds_and_ejection_are_those_of_the_route() -> None:
    """What App Mesh has no bound for is said."""
    text = (
        SERVICES
        + "route b:http {\n otherwise => b\n limit connections 10, pending 5, requests 7\n"
        + " eject after 3 errors for 30s up to 50%\n}"
    )
    found = sound(text)
    pool, ejection = listener(found, "b_app").connection_pool, listener(found, "b_app").outlier_detection
    assert pool is not None
    assert pool.http is not None
    assert ejection is not None
    assert (pool.http.max_connections, pool.http.max_pending_requests) == (10, 5)
    assert (ejection.max_server_errors, ejection.base_ejection_duration.value, ejection.max_ejection_percent) == (
        3,
        30000,
        50,
    )
    assert [one.message for one in found.diagnostics if one.code == "MP708" and one.subject != "m"] == [
        "App Mesh does not keep all of `b:http`: at a port for http it has no bound on requests"
    ]


@pytest.mark.parametrize(
    ("services", "settings"),
    [
        ("service b { port http 80  versions v1 }\nservice b-v1 { port http 80 }", {}),
        (
            "service refused { namespace invalid  port http 80 }\nservice a {}\nallow x: a -> refused { GET /x }",
            {"app-mesh.discovery": "dns:{name}.{namespace}"},
        ),
    ],
)
def test_two_things_never_have_one_name(services: str, settings: dict[str, str]) -> None:
    """A caller of one would come to the other."""
    found = errors(services, settings)
    assert [message[:5] for message in found.values()] == ["MP706"]


def test_what_is_not_enforced_is_said_at_every_compile() -> None:
    """With the names that it is about."""
    found = sound("".join(f"service s{number} {{ port http 80 }}\n" for number in range(3)))
    upgrades = Residual("R8", "listeners for HTTP take upgrades to websockets", ("s0_app:80", "s1_app:80", "s2_app:80"))
    assert upgrades in found.residuals
    assert {one.code for one in found.residuals} == {"R2", "R6", "R7", "R8", "R11"}
    assert [one.code for one in found.diagnostics if one.severity == "warning"] == ["MP725"]
