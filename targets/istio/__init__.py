"""The target Istio: security.istio.io and networking.istio.io, version v1 (istio.io/api 1.31)."""

from meshproof.targets.istio.target import IstioTarget

TARGET = IstioTarget()
"""What the entry point `istio` of the group `meshproof.targets` names."""
