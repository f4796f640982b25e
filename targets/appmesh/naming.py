"""What the resources that a policy becomes are called: one place, for what writes them and what reads them back."""

from __future__ import annotations

import re
from hashlib import sha256

_PLAIN = re.compile(r"[A-Za-z0-9-]+")
_MOST = 255
_MARK = 16


def node_name(service: str, namespace: str, version: str | None = None) -> str:
    """The virtual node of a workload, or of one of its versions."""
    return _joined(service, namespace) if version is None else _joined(service, namespace, version)


def gateway_name(gateway: str, namespace: str) -> str:
    """The virtual gateway of a gateway that the policy declares."""
    return _joined(gateway, namespace)


def _joined(*parts: str) -> str:
    """`name_namespace`, as the controller names resources; else what is left of it, with a mark of the whole.

    Other parts give another name: plain parts hold no underscore, and no plain name has two in a row. Names have 255
    characters at most, of letters, digits, hyphens and underscores (App Mesh API, ResourceName).
    """
    plain = "_".join(parts)
    if all(_PLAIN.fullmatch(one) for one in parts) and len(plain) <= _MOST:
        return plain
    mark = sha256("\0".join(parts).encode()).hexdigest()[:_MARK]
    stem = re.sub(r"[^A-Za-z0-9-]+", "-", "-".join(parts))[: _MOST - _MARK - 2]
    return f"{stem}__{mark}"
