"""Mistakes in what says who may call: authorization, peer and request authentication, and the mesh configuration."""

from __future__ import annotations

from tests.strategies.istio_mutation import Mutant, add, both, crossed, cut, merged, put, renamed, without

_WEB = "AuthorizationPolicy web-allow"
_JOB = "AuthorizationPolicy job-allow"
_ORDERS = "AuthorizationPolicy orders-allow"
_NO_DEBUG = "AuthorizationPolicy orders-deny"
_LEGACY = "AuthorizationPolicy legacy-allow"
_CART = "AuthorizationPolicy cart-allow"
_ASK = "AuthorizationPolicy job-ask-judge"
_API = "AuthorizationPolicy api-allow"
_NOTES = "AuthorizationPolicy notes-allow"

_ALLOWS = (
    ("an allow for all that are known", put(_WEB, "spec.rules.1.from.0.source.principals", ["*"])),
    ("an allow without sources", cut(_WEB, "spec.rules.1.from")),
    ("an allow without operations", cut(_WEB, "spec.rules.1.to")),
    ("an allow that is lost", cut(_WEB, "spec.rules.2")),
    ("all allows of a workload lost", without(_WEB)),
    ("an allow of everything", add(_WEB, "spec.rules", {})),
    ("methods lost", cut(_WEB, "spec.rules.1.to.0.operation.methods")),
    ("one method lost", cut(_WEB, "spec.rules.1.to.0.operation.methods.1")),
    ("one method more", add(_WEB, "spec.rules.1.to.0.operation.methods", "POST")),
    ("methods as those that are not meant", renamed(_WEB, "spec.rules.1.to.0.operation.methods", "notMethods")),
    ("paths lost", cut(_WEB, "spec.rules.1.to.0.operation.paths")),
    ("a prefix for an exact path", put(_WEB, "spec.rules.1.to.0.operation.paths.0", "/items*")),
    ("a suffix for an exact path", put(_WEB, "spec.rules.1.to.0.operation.paths.0", "*/items")),
    ("any rest for a segment", put(_WEB, "spec.rules.3.to.0.operation.paths.0", "/items/{**}")),
    ("a prefix for a segment", put(_WEB, "spec.rules.3.to.0.operation.paths.0", "/items/*")),
    ("a segment too many", put(_WEB, "spec.rules.3.to.1.operation.paths.0", "/basket/{*}/{*}")),
    ("a prefix without its slash", put(_WEB, "spec.rules.1.to.1.operation.paths.1", "/static*")),
    ("below a path without the path", cut(_WEB, "spec.rules.1.to.1.operation.paths.0")),
    ("operations put together", merged(_WEB, "spec.rules.1.to")),
    ("two rules put together", crossed(_CART, 0, 1)),
    ("the port of the Service", put(_WEB, "spec.rules.1.to.0.operation.ports", ["80"])),
    ("ports lost at a TCP port", cut(_WEB, "spec.rules.2.to")),
    ("another port", put(_WEB, "spec.rules.4.to.0.operation.ports", ["8080"])),
    ("one port more", add(_WEB, "spec.rules.1.to.0.operation.ports", "9000")),
    ("ports as those that are not meant", renamed(_WEB, "spec.rules.2.to.0.operation.ports", "notPorts")),
    ("a call for another", put(_CART, "spec.rules.1.to.0.operation.paths", ["/shop.Cart/Add"])),
    ("all calls of a service", put(_CART, "spec.rules.1.to.0.operation.paths", ["/shop.Cart/*"])),
    ("conditions lost", cut(_WEB, "spec.rules.0.when")),
    ("the condition on a header lost", cut(_WEB, "spec.rules.0.when.0")),
    ("the condition on an address lost", cut(_WEB, "spec.rules.0.when.1")),
    ("the condition on what is absent lost", cut(_WEB, "spec.rules.0.when.2")),
    ("any value of a header", put(_WEB, "spec.rules.0.when.0.values", ["*"])),
    ("a value by its start", put(_WEB, "spec.rules.0.when.0.values", ["ops*"])),
    ("the values of a header turned", renamed(_WEB, "spec.rules.0.when.0.values", "notValues")),
    ("another header", put(_WEB, "spec.rules.0.when.0.key", "request.headers[x-role]")),
    ("a wider block of addresses", put(_WEB, "spec.rules.0.when.1.values", ["10.0.0.0/8"])),
    ("the client's address for the peer's", put(_WEB, "spec.rules.0.when.1.key", "remote.ip")),
    ("the destination's address for the peer's", put(_WEB, "spec.rules.0.when.1.key", "destination.ip")),
    ("what is not meant lost", cut(_JOB, "spec.rules.0.when.1")),
    ("that there is a header lost", cut(_JOB, "spec.rules.0.when.0")),
    ("one caller more", add(_JOB, "spec.rules.0.from.0.source.principals", "td/ns/batch/sa/job")),
    ("one caller lost", cut(_JOB, "spec.rules.0.from.0.source.principals.1")),
    ("a caller of another namespace", put(_CART, "spec.rules.1.from.0.source.principals", ["td/ns/shop/sa/job"])),
    (
        "a caller by its name for its account",
        put(_WEB, "spec.rules.4.from.0.source.principals", ["td/ns/monitoring/sa/scraper"]),
    ),
    ("a namespace for an account", put(_WEB, "spec.rules.2.from.0.source", {"namespaces": ["shop"]})),
    (
        "a namespace by its start",
        put(_WEB, "spec.rules.0.from.0.source.principals", ["td/ns/batch*", "old.td/ns/batch*"]),
    ),
    ("another namespace", put(_WEB, "spec.rules.0.from.0.source.principals", ["td/ns/shop/*", "old.td/ns/shop/*"])),
    ("anyone for all that are known", cut(_LEGACY, "spec.rules.0.from")),
    ("anyone for plaintext", cut(_LEGACY, "spec.rules.1.from")),
    ("all that are known for plaintext", renamed(_LEGACY, "spec.rules.1.from.0.source.notPrincipals", "principals")),
    ("an allow that is DENY", put(_ORDERS, "spec.action", "DENY")),
    ("an allow that is AUDIT", put(_ORDERS, "spec.action", "AUDIT")),
    ("an allow that is tried only", put(_ORDERS, "metadata.annotations", {"istio.io/dry-run": "true"})),
    ("an allow of another workload", put(_ORDERS, "spec.selector.matchLabels", {"app": "web"})),
    ("an allow of the whole namespace", cut(_ORDERS, "spec.selector")),
    ("an allow in another namespace", put(_ORDERS, "metadata.namespace", "batch")),
    (
        "an allow of the whole mesh",
        both(put(_ORDERS, "metadata.namespace", "istio-system"), cut(_ORDERS, "spec.selector")),
    ),
    (
        "an allow in the namespace of another workload with its label",
        put("AuthorizationPolicy web-allow", "metadata.namespace", "batch"),
    ),
    (
        "an allow at a port that nobody declared",
        add(_ORDERS, "spec.rules", {"to": [{"operation": {"ports": ["15000"]}}]}),
    ),
    ("another label of the selector", put(_ORDERS, "spec.selector.matchLabels", {"name": "orders"})),
)

_NOTHING = (
    ("no refusal where nothing is allowed", without("AuthorizationPolicy scraper-default")),
    ("no authorization at a workload", both(without("AuthorizationPolicy orders-default"), without(_ORDERS))),
    ("an allow of all for the one of nothing", put("AuthorizationPolicy web-default", "spec.rules", [{}])),
    ("an allow of all where nothing is allowed", put("AuthorizationPolicy scraper-default", "spec.rules", [{}])),
    ("a deny of nothing for an allow of nothing", put("AuthorizationPolicy scraper-default", "spec.action", "DENY")),
    ("an allow of nothing elsewhere", put("AuthorizationPolicy scraper-default", "metadata.namespace", "shop")),
    (
        "an allow of nothing of another label",
        put("AuthorizationPolicy scraper-default", "spec.selector.matchLabels", {"name": "scraper"}),
    ),
)
_DENIES = (
    ("a deny lost", without(_NO_DEBUG)),
    ("a deny that is ALLOW", put(_NO_DEBUG, "spec.action", "ALLOW")),
    ("a deny that is AUDIT", put(_NO_DEBUG, "spec.action", "AUDIT")),
    ("a deny that is tried only", put(_NO_DEBUG, "metadata.annotations", {"istio.io/dry-run": "true"})),
    ("a deny without its exception", cut(_NO_DEBUG, "spec.rules.0.from")),
    ("a deny with its exception turned", renamed(_NO_DEBUG, "spec.rules.0.from.0.source.notPrincipals", "principals")),
    ("a deny of other methods", put(_NO_DEBUG, "spec.rules.0.to.0.operation.methods", ["GET"])),
    ("a deny of one path alone", cut(_NO_DEBUG, "spec.rules.0.to.0.operation.paths.1")),
    ("a deny below a path alone", cut(_NO_DEBUG, "spec.rules.0.to.0.operation.paths.0")),
    ("a deny of paths by their start", put(_NO_DEBUG, "spec.rules.0.to.0.operation.paths", ["/pay/debug*"])),
    ("a deny at the port of the Service", put(_NO_DEBUG, "spec.rules.0.to.0.operation.ports", ["80"])),
    ("a deny in another namespace", put(_NO_DEBUG, "metadata.namespace", "batch")),
    ("a deny of another workload", put(_NO_DEBUG, "spec.selector.matchLabels.app", "order")),
    ("a deny without an alias", cut(_NO_DEBUG, "spec.rules.0.from.0.source.notPrincipals.1")),
    (
        "a deny of another caller",
        put("AuthorizationPolicy job-deny", "spec.rules.0.from.0.source.principals", ["td/ns/shop/sa/carts"]),
    ),
    (
        "a deny that reads HTTP at a TCP port",
        put("AuthorizationPolicy web-deny", "spec.rules.0.to.0.operation.methods", ["GET"]),
    ),
    ("a deny that forgets a port", cut("AuthorizationPolicy web-deny", "spec.rules.0.to.0.operation.ports.1")),
)
_ASKS = (
    ("nobody asked", without(_ASK)),
    ("another asked", put(_ASK, "spec.provider.name", "other")),
    ("asked about other methods", put(_ASK, "spec.rules.0.to.0.operation.methods", ["PUT"])),
    ("asked about everything", put(_ASK, "spec.rules", [{}])),
    ("asked about paths of its own", put(_ASK, "spec.rules.0.to.0.operation.paths", ["/run/*"])),
    (
        "what is asked about allowed",
        put(_ASK, "spec", {"selector": {"matchLabels": {"app": "job"}}, "action": "ALLOW", "rules": [{}]}),
    ),
    ("the provider not configured", cut("mesh", "extensionProviders")),
    ("let through when nobody answers", put("mesh", "extensionProviders.0.envoyExtAuthzGrpc.failOpen", True)),
)

_MTLS = (
    ("mutual TLS disabled", put("PeerAuthentication orders", "spec.mtls.mode", "DISABLE")),
    ("a permissive port not said", cut("PeerAuthentication legacy", "spec.portLevelMtls")),
    (
        "a permissive port by the number of the Service",
        renamed("PeerAuthentication legacy", "spec.portLevelMtls.8080", "80"),
    ),
    ("a permissive port that is another", renamed("PeerAuthentication legacy", "spec.portLevelMtls.8080", "6000")),
    ("a permissive port that is disabled", put("PeerAuthentication legacy", "spec.portLevelMtls.8080.mode", "DISABLE")),
    ("a permissive port that is strict", put("PeerAuthentication legacy", "spec.portLevelMtls.8080.mode", "STRICT")),
)
_CONFIG = (
    ("another trust domain", put("mesh", "trustDomain", "cluster.local")),
    ("no alias", cut("mesh", "trustDomainAliases")),
    ("another alias", put("mesh", "trustDomainAliases", ["new.td"])),
    ("one alias more", add("mesh", "trustDomainAliases", "partner")),
    ("another root namespace", put("mesh", "rootNamespace", "batch")),
)
_TOKENS = (
    ("no tokens", without("RequestAuthentication api")),
    ("another issuer", put("RequestAuthentication api", "spec.jwtRules.0.issuer", "https://idp.example/")),
    ("audiences lost", cut("RequestAuthentication api", "spec.jwtRules.0.audiences")),
    ("one audience more", add("RequestAuthentication api", "spec.jwtRules.0.audiences", "other")),
    ("tokens of another workload", put("RequestAuthentication notes", "spec.selector.matchLabels.app", "api")),
    ("tokens in another namespace", put("RequestAuthentication notes", "metadata.namespace", "batch")),
    ("an issuer lost", cut("RequestAuthentication api", "spec.jwtRules.1")),
    (
        "tokens read from another header",
        put("RequestAuthentication api", "spec.jwtRules.1.fromHeaders.0.name", "x-token"),
    ),
    (
        "keys from another place",
        put("RequestAuthentication api", "spec.jwtRules.0.jwksUri", "https://evil.example/jwks"),
    ),
    ("any issuer", cut(_API, "spec.rules.1.when.0")),
    ("another issuer asked for", put(_API, "spec.rules.1.when.0.values", ["https://kiosk.example"])),
    ("a claim lost", cut(_API, "spec.rules.1.when.1")),
    ("another claim", put(_API, "spec.rules.1.when.1.key", "request.auth.claims[group]")),
    ("a nested claim", put(_API, "spec.rules.1.when.1.key", "request.auth.claims[role][name]")),
    ("one value of a claim more", add(_API, "spec.rules.1.when.1.values", "guest")),
    ("the subject lost", cut(_NOTES, "spec.rules.0.when.0")),
    ("the subject as the presenter", put(_NOTES, "spec.rules.0.when.0.key", "request.auth.presenter")),
    ("the audience lost", cut(_NOTES, "spec.rules.0.when.1")),
)

AUTHORIZATION = (
    *(Mutant(name, "shop", change) for name, change in (*_ALLOWS, *_NOTHING, *_DENIES, *_ASKS, *_MTLS, *_CONFIG)),
)
TOKENS = tuple(Mutant(name, "tokens", change) for name, change in _TOKENS)
