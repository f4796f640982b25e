"""What the annotations of pods say of their proxies."""

from __future__ import annotations

from meshproof.targets.common import yaml
from meshproof.targets.common.tree import TreeError
from meshproof.targets.istio.lift.values import mapping, number, pairs
from meshproof.targets.istio.lift.workloads import Workload

_CONFIG = "proxy.istio.io/config"


def pod_annotations(workload: Workload) -> dict[str, str]:
    """The annotations of the pods; none where no file makes them."""
    template = workload.template
    return dict(pairs(None if template is None else template.at("metadata", "annotations")))


def trusted_proxies(workload: Workload, otherwise: int) -> int:
    """The number of proxies before a gateway whose word it takes: its own, else the mesh's.

    What cannot be read is as if it were not there, as it is for the injector.
    """
    written = pod_annotations(workload).get(_CONFIG)
    if written is None:
        return otherwise
    try:
        trees = yaml.parse(written, "")
    except TreeError:
        return otherwise
    config = mapping(trees[0]) if trees else mapping(None)
    own = number(config.at("gatewayTopology", "numTrustedProxies"))
    return otherwise if own is None else own
