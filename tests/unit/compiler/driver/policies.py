"""A small policy that the tests of the driver share."""

from __future__ import annotations

from datetime import date

from meshproof.compiler.driver.policy import Policy, policy_of_texts

DAY = date(2026, 11, 23)

TEA = """\
mesh tea {
    language     1
    trust-domain "cluster.local"
    namespace    tea
    mtls         strict
}

service kettle { port http 8080 }
service shop   { port http 8080 }
service spy    { port http 8080 }

allow boil: shop -> kettle { POST /boil  GET /level }
"""

ENVIRONMENTS = TEA.replace("mtls         strict", "mtls         strict\n    environments dev, prod")

CLAIM = """
prove "only the shop boils" for pci-dss "1.4.2" {
    only shop reaches kettle
}
"""

TEST = """
test boil {
    shop -> kettle:http POST /boil => allow by boil
}
"""

SPY = "allow peek: spy -> kettle { GET /level }\n"


def policy(*parts: str) -> Policy:
    """The policy of the parts, which must be sound."""
    read = policy_of_texts({"tea.mesh": "".join(parts)})
    assert read.is_judgeable, read.diagnostics
    return read
