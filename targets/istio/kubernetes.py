"""What Kubernetes must be able to hold: namespaces, labels and names of Services.

A selector with a label that no pod can have selects nothing, and what it should protect would be open.
"""

from __future__ import annotations

import re

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.names import Origin
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.findings import NotExpressibleError

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_WORD = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_SUBDOMAIN_MAX = 253


def tell_names(context: Context) -> None:
    """MP701 at every declaration of something that cannot exist in Kubernetes."""
    for namespace in context.mesh.namespaces:
        if namespace.is_closed:
            _tell_namespace(context, namespace.name, namespace.name, namespace.origin)
    for node in context.workloads:
        subject = str(node.name)
        _tell_namespace(context, node.namespace, subject, node.origin)
        for key, value in node.labels:
            if not is_label(key, value):
                _refuse(context, subject, node.origin, f"no pod of Kubernetes can have the label `{key}: {value}`")
        if isinstance(node, Service) and node.ports and not _SERVICE.fullmatch(node.platform_name):
            reason = f"no Service of Kubernetes can be called `{node.platform_name}`"
            _refuse(context, subject, node.origin, reason)
    if context.mesh.externals and context.mesh.namespace is not None:
        _tell_namespace(context, context.mesh.namespace, context.mesh.name, context.mesh.origin)


def is_label(key: str, value: str) -> bool:
    """Whether a pod can have it (Kubernetes, "Labels and Selectors", syntax and character set)."""
    prefix, slash, name = key.rpartition("/")
    is_prefix = not slash or (len(prefix) <= _SUBDOMAIN_MAX and _SUBDOMAIN.fullmatch(prefix) is not None)
    return is_prefix and _WORD.fullmatch(name) is not None and (not value or _WORD.fullmatch(value) is not None)


def _tell_namespace(context: Context, namespace: str, subject: str, origin: Origin) -> None:
    if not _LABEL.fullmatch(namespace):
        _refuse(context, subject, origin, f"no namespace of Kubernetes can be called `{namespace}`")


def _refuse(context: Context, subject: str, origin: Origin, reason: str) -> None:
    context.findings.unsupported(subject, origin, NotExpressibleError(Feature.SELECTORS, reason))
