"""What Kubernetes must be able to hold: namespaces, labels and names of Services."""

from __future__ import annotations

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.names import Origin
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.kubernetes_names import is_label, is_namespace, is_service
from meshproof.targets.istio.context import Context


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
        if isinstance(node, Service) and node.ports and not is_service(node.platform_name):
            reason = f"no Service of Kubernetes can be called `{node.platform_name}`"
            _refuse(context, subject, node.origin, reason)
    if context.mesh.externals and context.mesh.namespace is not None:
        _tell_namespace(context, context.mesh.namespace, context.mesh.name, context.mesh.origin)


def _tell_namespace(context: Context, namespace: str, subject: str, origin: Origin) -> None:
    if not is_namespace(namespace):
        _refuse(context, subject, origin, f"no namespace of Kubernetes can be called `{namespace}`")


def _refuse(context: Context, subject: str, origin: Origin, reason: str) -> None:
    context.findings.unsupported(subject, origin, NotExpressibleError(Feature.SELECTORS, reason))
