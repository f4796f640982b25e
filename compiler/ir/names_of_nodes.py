"""The names by which people call workloads of manifests: `NAMESPACE/NAME`, a bare name, or a host."""

from __future__ import annotations

from meshproof.compiler.ir.entities import External, Gateway, Service
from meshproof.compiler.ir.json_text import JsonError, suggestion
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName

_MOST_LISTED = 6


def called_by_name(name: str, namespace: str | None, mesh: Mesh) -> NodeName:
    """The one node that is called so. Raises `JsonError`, with the candidates, where there is none or more than one.

    A Service is called by its own name and by those of its hosts (`NAME.NAMESPACE`, `NAME.NAMESPACE.svc`, and with the
    domain of the cluster). Several workloads behind one Service are several candidates: policies may differ.
    """
    full = name if namespace is None else f"{namespace}/{name}"
    node = mesh.node(NodeName(full))
    if node is not None:
        return node.name
    external = _outside(name.lower(), mesh) if namespace is None else None
    if external is not None:
        return external.name
    short, where = _parts(name, namespace)
    found = [one for one in mesh.nodes if not isinstance(one, External) and _is_called(one, short, where)]
    if len(found) == 1:
        return found[0].name
    if found:
        listed = ", ".join(f"`{one.name}`" for one in found[:_MOST_LISTED])
        raise JsonError(f"`{name}` may be {listed}: name one of them").within(".service")
    names = [one.name for one in mesh.nodes]
    hint = suggestion(full, (*names, *(one.rpartition("/")[2] for one in names)))
    raise JsonError(f"nothing that is declared is named `{full}`{hint}").within(".service")


def _outside(host: str, mesh: Mesh) -> External | None:
    """What is outside of the mesh under the host; the longest wildcard, where nothing has the name itself."""
    found = [(known, one) for one in mesh.externals for known in one.hosts]
    own = next((one for known, one in found if known == host), None)
    wild = [(known, one) for known, one in found if known.startswith("*.") and host.endswith(known[1:])]
    return own or max(wild, key=lambda pair: len(pair[0]), default=("", None))[1]


def _parts(name: str, namespace: str | None) -> tuple[str, str | None]:
    """The name of a workload or Service, and its namespace where that is said."""
    if "/" in name:
        where, _, short = name.partition("/")
        return short, where
    short, dot, rest = name.partition(".")
    where, _, domain = rest.partition(".")
    if not dot or (domain and domain.split(".")[0] != "svc"):
        return name, namespace
    return (short, where) if namespace in {None, where} else (name, namespace)


def _is_called(node: Service | Gateway, name: str, namespace: str | None) -> bool:
    if namespace is not None and node.namespace != namespace:
        return False
    own = node.name.rpartition("/")[2]
    return name == own or (isinstance(node, Service) and name == node.platform_name)
