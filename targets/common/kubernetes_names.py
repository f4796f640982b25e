"""What Kubernetes can hold: names of namespaces and Services, labels of pods.

A selector with a label that no pod can have selects nothing, and what it should protect would be open.
"""

from __future__ import annotations

import re

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_WORD = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_SUBDOMAIN_MAX = 253


def is_namespace(name: str) -> bool:
    """Whether a namespace can be called so (RFC 1123, a label)."""
    return _NAMESPACE.fullmatch(name) is not None


def is_service(name: str) -> bool:
    """Whether a Service can be called so (RFC 1035, a label)."""
    return _SERVICE.fullmatch(name) is not None


def is_label(key: str, value: str) -> bool:
    """Whether a pod can have it (Kubernetes, "Labels and Selectors", syntax and character set)."""
    prefix, slash, name = key.rpartition("/")
    is_prefix = not slash or (len(prefix) <= _SUBDOMAIN_MAX and _SUBDOMAIN.fullmatch(prefix) is not None)
    return is_prefix and _WORD.fullmatch(name) is not None and (not value or _WORD.fullmatch(value) is not None)
