"""The target Istio: security.istio.io and networking.istio.io, version v1 (istio.io/api 1.31)."""
