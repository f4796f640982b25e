"""Mistakes in what says where calls go: routes, versions, gateways, and what is known outside."""

from __future__ import annotations

from tests.strategies.istio_mutation import Mutant, add, both, cut, put, renamed, turned, without

_API = "VirtualService api"
_BOOKS = "VirtualService books"
_RULE = "DestinationRule api"

_ROUTES = (
    ("a route lost", without(_API)),
    ("branches in another order", turned(_API, "spec.http")),
    ("a branch lost", cut(_API, "spec.http.1")),
    ("the rest lost", cut(_API, "spec.http.3")),
    ("a route of another host", put(_API, "spec.hosts", ["copy.shop.svc.cluster.local"])),
    ("a route that no sender sees", both(put(_API, "metadata.namespace", "other"), put(_API, "spec.exportTo", ["."]))),
    ("a route for gateways alone", put(_API, "spec.gateways", ["shop/edge"])),
    ("a match lost", cut(_API, "spec.http.0.match")),
    ("one way to match lost", cut(_API, "spec.http.0.match.0")),
    ("a prefix without its slash", put(_API, "spec.http.0.match.1.uri.prefix", "/beta")),
    ("an exact path for a prefix", put(_API, "spec.http.0.match.1.uri", {"exact": "/beta/"})),
    ("a path without case", put(_API, "spec.http.0.match.0.ignoreUriCase", True)),
    ("the method of a branch lost", cut(_API, "spec.http.0.match.1.method")),
    ("the method of a branch by its start", put(_API, "spec.http.0.match.1.method", {"prefix": "G"})),
    ("a header lost", cut(_API, "spec.http.1.match.0.headers")),
    ("any value of a header of a route", put(_API, "spec.http.1.match.0.headers.x-canary", {"regex": ".*"})),
    ("a header by its start", put(_API, "spec.http.1.match.0.headers.x-canary", {"prefix": "true"})),
    ("a header that is absent", renamed(_API, "spec.http.1.match.0.headers", "withoutHeaders")),
    ("the port of the workload in a route", put(_API, "spec.http.3.match.0.port", 8080)),
    ("weights swapped", both(put(_API, "spec.http.3.route.0.weight", 10), put(_API, "spec.http.3.route.1.weight", 90))),
    ("a weight moved", both(put(_API, "spec.http.3.route.0.weight", 89), put(_API, "spec.http.3.route.1.weight", 11))),
    ("a version for another", put(_API, "spec.http.1.route.0.destination.subset", "v3")),
    ("any version", cut(_API, "spec.http.1.route.0.destination.subset")),
    ("a version that is not there", put(_API, "spec.http.1.route.0.destination.subset", "v9")),
    ("another service", put(_API, "spec.http.1.route.0.destination.host", "copy.shop.svc.cluster.local")),
    ("a destination's port of the workload", put(_API, "spec.http.1.route.0.destination.port.number", 8080)),
    ("a timeout lost", cut(_API, "spec.http.0.timeout")),
    ("another timeout", put(_API, "spec.http.1.timeout", "10s")),
    ("retries by default", cut(_API, "spec.http.0.retries")),
    ("more retries", put(_API, "spec.http.1.retries.attempts", 3)),
    ("retries on more", put(_API, "spec.http.1.retries.retryOn", "reset,503,gateway-error")),
    ("retries of another length", put(_API, "spec.http.1.retries.perTryTimeout", "3s")),
    ("a mirror lost", cut(_API, "spec.http.1.mirrors")),
    ("a mirror of everything", put(_API, "spec.http.1.mirrors.0.percentage.value", 100)),
    ("a rewrite of the host", put(_API, "spec.http.3.rewrite", {"authority": "copy"})),
    ("a mirror elsewhere", put(_API, "spec.http.1.mirrors.0.destination", {"host": "copy.shop.svc.cluster.local"})),
    ("a mirror more", put(_API, "spec.http.3.mirror", {"host": "copy.shop.svc.cluster.local"})),
    ("a rewrite more", put(_API, "spec.http.3.rewrite", {"uri": "/items"})),
    ("another redirect", put(_API, "spec.http.2.redirect.uri", "/")),
    ("another status of a redirect", put(_API, "spec.http.2.redirect.redirectCode", 302)),
    ("another host of a redirect", put(_API, "spec.http.2.redirect.authority", "evil.example")),
    ("CORS lost", cut(_API, "spec.http.3.corsPolicy")),
    ("CORS for all", put(_API, "spec.http.3.corsPolicy.allowOrigins", [{"regex": ".*"}])),
    ("a fault lost", cut(_API, "spec.http.3.fault")),
    ("a fault of everything", put(_API, "spec.http.3.fault.delay.percentage.value", 100)),
    ("an edit of headers lost", cut(_API, "spec.http.3.headers")),
    ("a header added for one set", renamed(_API, "spec.http.3.headers.request.set", "add")),
    ("another value of a header", put(_API, "spec.http.3.headers.request.set.x-a", "c")),
    ("senders of another namespace", put(_BOOKS, "spec.http.0.match.0.sourceNamespace", "other")),
    ("senders of every namespace", cut(_BOOKS, "spec.http.0.match.0.sourceNamespace")),
    ("a route without a port", put("VirtualService copy", "spec.http.0.match.0.port", 81)),
    ("versions lost", without(_RULE)),
    ("another label of a version", put(_RULE, "spec.subsets.1.labels.version", "v1")),
    ("a version without labels", put(_RULE, "spec.subsets.1.labels", {})),
    ("a version by a label of all", put(_RULE, "spec.subsets.1.labels", {"app": "api"})),
    ("a version by another key", put(_RULE, "spec.subsets.1.labels", {"v": "v2"})),
    ("a version lost", cut(_RULE, "spec.subsets.2")),
    ("versions of another host", put(_RULE, "spec.host", "books.shop.svc.cluster.local")),
    ("limits lost", cut(_RULE, "spec.trafficPolicy.connectionPool")),
    ("ejection lost", cut(_RULE, "spec.trafficPolicy.outlierDetection")),
    ("another balance", put(_RULE, "spec.trafficPolicy.loadBalancer.simple", "RANDOM")),
)
_EDGE = "Gateway edge"
_GATEWAYS = (
    (
        "any host at a gateway",
        both(
            put(_EDGE, "spec.servers.0.hosts", ["*"]),
            put("VirtualService edge", "spec.hosts", ["*"]),
            cut("VirtualService edge", "spec.http.0.match.0.authority"),
        ),
    ),
    ("a host at a gateway lost", cut(_EDGE, "spec.servers.0.hosts.0")),
    ("a host of a route at a gateway lost", cut("VirtualService edge", "spec.hosts.0")),
    ("another port of a gateway", put(_EDGE, "spec.servers.0.port.number", 8443)),
    ("TLS that is passed through", put(_EDGE, "spec.servers.0.tls", {"mode": "PASSTHROUGH"})),
    ("a gateway lost", without(_EDGE)),
    ("the pods of another gateway", put(_EDGE, "spec.selector", {"istio": "plain"})),
    ("anyone at a gateway", cut("AuthorizationPolicy plain-allow", "spec.rules.0.to.0.operation.paths")),
    ("a route of a gateway lost", without("VirtualService edge")),
    ("a route of another gateway", put("VirtualService edge", "spec.gateways", ["istio-ingress/meshproof-plain"])),
    (
        "a route to another service",
        put("VirtualService edge", "spec.http.0.route.0.destination.host", "pay.shop.svc.cluster.local"),
    ),
    ("a branch of a gateway lost", cut("VirtualService plain", "spec.http.1")),
)
_OUTSIDE = (
    ("everything outside", put("Sidecar web", "spec.outboundTrafficPolicy.mode", "ALLOW_ANY")),
    ("nothing said about outside", without("Sidecar web")),
    ("the senders of another workload", put("Sidecar web", "spec.workloadSelector.labels.app", "pay")),
    ("a host outside more", add("Sidecar web", "spec.egress.0.hosts", "shop/api.stripe.com")),
    ("all hosts outside", put("Sidecar web", "spec.egress.0.hosts", ["*/*"])),
    ("a host outside lost", cut("Sidecar pay", "spec.egress.0.hosts.1")),
    ("a wider host outside", put("ServiceEntry stripe", "spec.hosts", ["*.stripe.com"])),
    ("another port outside", put("ServiceEntry stripe", "spec.ports.0.number", 80)),
    ("what is outside lost", without("ServiceEntry stripe")),
)
ROUTES = tuple(Mutant(name, "routes", change) for name, change in _ROUTES)
GATEWAYS = tuple(Mutant(name, "edge", change) for name, change in _GATEWAYS)
OUTSIDE = tuple(Mutant(name, "outside", change) for name, change in _OUTSIDE)
