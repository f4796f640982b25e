"""What people can do about fields of foreign files that are not modelled, by the name that a lift gives the field."""

from __future__ import annotations

_ADVICE = (
    (
        "tls.mode AUTO_PASSTHROUGH",
        (
            "such a server hands connections on to whatever service their SNI names, past all routes: what is let in is"
            " decided by that service, so ask there; or use `PASSTHROUGH` with a VirtualService, which is modelled"
        ),
    ),
    (
        "waypoint ",
        (
            "what a waypoint lets through is not modelled: look at the policies with `targetRefs` by hand, and let the"
            " workload allow the waypoint's account alone, so that nobody passes it by"
        ),
    ),
    (
        "traffic.sidecar.istio.io/",
        "ports that are not captured are under no policy: capture them, or close them with a NetworkPolicy",
    ),
    ("what stands behind ", "give the files of the Services and pods that it leads to"),
)


def plain_field(field: str) -> str:
    """The field as it is written, without what tells the two sides of its doubt apart."""
    return field.removesuffix(" (deny)").removesuffix(" (allow)")


def advice_for(field: str) -> str | None:
    """The way out, if there is one to name."""
    return next((advice for start, advice in _ADVICE if plain_field(field).startswith(start)), None)
