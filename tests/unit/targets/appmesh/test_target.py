"""What is compiled for App Mesh is read back and proved to be the policy."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of
from tests.unit.policies.test_examples import boutique

from meshproof.compiler.backend.target import CompileOptions, LiftingTarget
from meshproof.compiler.driver.reading_back import EQUAL, STRICTER, emitted
from meshproof.compiler.ir.judgement import Judgement
from meshproof.targets.appmesh.target import AppMeshTarget
from meshproof.targets.appmesh.together import misfits

TARGET = AppMeshTarget()
DAY = date(2026, 11, 23)
UNTIL = '{ because "moving in" until 2027-01-31 }'
PATIENT_MS = 120_000
SERVICES = """
service web { port http 80 -> 8080 }
service pay { port grpc 9000  versions v1, v2 }
service db { port tcp 5432 }
"""
CANARY = """
allow calls: web -> pay:grpc
allow stores: pay -> db
route pay:grpc {
    when header["x-canary"] == "true" => v2
    otherwise => v1 95%, v2 5%
    timeout 2s
    retry 2 on unavailable within 500ms
}
"""


RETRIES = "route web:http { GET /x => web { retry 3 on gateway-error }  otherwise => web  retry 2 on refused }"


def _known(text: str, **settings: str) -> str:
    mesh = mesh_of(SERVICES + text)
    given = tuple((f"app-mesh.{key}", value) for key, value in settings.items())
    options = CompileOptions(DAY, given, "hash", require=Judgement.COOPERATIVE)
    lowered = TARGET.lower(mesh, options)
    assert not [one.message for one in lowered.diagnostics if one.severity == "error"]
    found = emitted(TARGET, lowered, mesh, options, PATIENT_MS)
    assert not [one.message for one in found.diagnostics]
    return found.known


@pytest.mark.parametrize("rendering", ["cloudformation", "api", "kubernetes"])
def test_every_rendering_means_the_policy(rendering: str) -> None:
    """Listeners, weights, conditions, timeouts and retries."""
    assert _known(CANARY, rendering=rendering) == EQUAL


@pytest.mark.parametrize(
    ("rules", "known"),
    [
        ("", EQUAL),
        ("allow x: authenticated -> pay", EQUAL),
        ("allow x: { web, pay, db } -> pay\ndeny y: db -> pay", EQUAL),
        ("allow x: authenticated -> pay\ndeny y: db -> pay", STRICTER),
        ("allow x: pay -> web { GET /x }", EQUAL),
        (f"allow x: anyone -> web\nmtls disabled for web:http {UNTIL}", EQUAL),
        (f"allow x: anyone -> web\nmtls permissive for web {UNTIL}", EQUAL),
        (f"allow x: pay -> web\nmtls permissive for web {UNTIL}", EQUAL),
        ("service lab { port http 80  observe " + UNTIL + " }", STRICTER),
        ("service lab { observe " + UNTIL + " }", STRICTER),
        (f"service lab {{ port http 80  observe {UNTIL} }}\nmtls permissive for lab:http {UNTIL}", STRICTER),
        ("allow x: pay -> web { GET /x }\nallow y: db -> web { POST /y }\nallow z: web -> pay", EQUAL),
        ("allow x: db -> pay { GET /x }\nallow y: pay -> web { GET /x\nwhen path in /y }", EQUAL),
        ("allow x: pay -> web { GET /** }\nroute web:http { GET /x => web }", STRICTER),
        ('allow x: pay -> web { GET /** }\nroute web:http { when header["h"] == "1" => web }', STRICTER),
        ('allow x: pay -> web { GET /** }\nroute web:http { when query["q"] == "1" => web }', STRICTER),
        ("allow x: pay -> web\nroute web:http { GET /x => web }", EQUAL),
        (f"allow x: pay -> web {{ GET /x }}\nallow y: db -> web\n{RETRIES}", EQUAL),
    ],
)
def test_rules_are_kept_by_listeners_and_doors(rules: str, known: str) -> None:
    """Equal, or stricter by what is listed."""
    assert _known(rules) == known


def test_files_of_certificates_mean_the_same() -> None:
    """Who a proxy is then the files do not say; the policy does."""
    assert _known(CANARY, certificates="file:/tls/chain,/tls/key,/tls/ca") == EQUAL


def test_it_is_read_back_before_anything_is_written() -> None:
    """A target that is none of these would be believed."""
    assert isinstance(TARGET, LiftingTarget)


def test_what_leaves_the_mesh_is_as_open_as_the_policy() -> None:
    """Where it is open, nothing has to be accepted that callers keep."""
    mesh = 'mesh m { language 1  trust-domain "td"  namespace app  egress open }\n'
    policy = mesh_of(f"{mesh}{SERVICES}{CANARY}", has_mesh=True)
    options = CompileOptions(DAY, (), "hash")
    lowered = TARGET.lower(policy, options)
    assert emitted(TARGET, lowered, policy, options, PATIENT_MS).known == EQUAL


@pytest.mark.parametrize(
    ("environment", "rendering"),
    [("dev", "cloudformation"), ("test", "api"), ("prod", "kubernetes")],
)
def test_the_boutique_is_kept_within_the_quotas_of_aws(environment: str, rendering: str) -> None:
    """With its closed namespace, which NetworkPolicies close."""
    policy = boutique(environment)
    settings = (("app-mesh.rendering", rendering),)
    options = CompileOptions(DAY, settings, "hash", require=Judgement.COOPERATIVE)
    lowered = TARGET.lower(policy, options)
    assert [one.message for one in lowered.diagnostics if one.severity == "error"] == []
    assert not misfits(lowered.resources)
    found = emitted(TARGET, lowered, policy, options, PATIENT_MS)
    assert (found.known, found.diagnostics) == (STRICTER, ())
    assert {one.subject for one in lowered.losses} == {"export", "ingress", "productcatalogservice:grpc"}
