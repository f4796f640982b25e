"""Mistakes in what is done with connections: who passes, how TLS ends and begins, and what senders let out."""

from __future__ import annotations

from tests.strategies.istio_mutation import Mutant, add, both, cut, more, put, without

_TWO = "Gateway two"
_EDGE = "Gateway edge"
_BANK = "DestinationRule bank-bank-example"
_TLS = "spec.trafficPolicy.portLevelSettings.0.tls"
_RULE = "DestinationRule api"
_CLOSED = "PeerAuthentication closed"

_SHOP = (
    ("mutual TLS permissive", put("PeerAuthentication orders", "spec.mtls.mode", "PERMISSIVE")),
    ("mutual TLS of the parent", put("PeerAuthentication orders", "spec.mtls.mode", "UNSET")),
    ("mutual TLS not said", without("PeerAuthentication orders")),
    ("mutual TLS of another workload", put("PeerAuthentication orders", "spec.selector.matchLabels.app", "shop")),
    ("mutual TLS in another namespace", put("PeerAuthentication orders", "metadata.namespace", "batch")),
    (
        "permissive but for a port",
        put(
            "PeerAuthentication web",
            "spec",
            {
                "selector": {"matchLabels": {"app": "web"}},
                "mtls": {"mode": "PERMISSIVE"},
                "portLevelMtls": {"8080": {"mode": "STRICT"}},
            },
        ),
    ),
    ("mutual TLS of every workload of the namespace", cut("PeerAuthentication orders", "spec.selector")),
    (
        "permissive where nothing is declared",
        both(
            put("PeerAuthentication orders", "spec.mtls.mode", "PERMISSIVE"),
            put("PeerAuthentication orders", "spec.portLevelMtls", {"8080": {"mode": "STRICT"}}),
        ),
    ),
    (
        "a port that nobody declares permissive",
        put("PeerAuthentication orders", "spec.portLevelMtls", {"9": {"mode": "PERMISSIVE"}}),
    ),
    ("paths not made normal", put("mesh", "pathNormalization.normalization", "NONE")),
    ("escaped slashes kept", put("mesh", "pathNormalization.normalization", "BASE")),
    ("paths as it is by default", cut("mesh", "pathNormalization")),
    ("slashes merged and not decoded", put("mesh", "pathNormalization.normalization", "MERGE_SLASHES")),
    (
        "identities of another domain verified",
        put("mesh", "caCertificates", [{"pem": "x", "trustDomains": ["partner"]}]),
    ),
    ("mutual TLS not offered", put("mesh", "enableAutoMtls", False)),
    (
        "the client's certificate taken from a header",
        put("mesh", "defaultConfig", {"gatewayTopology": {"forwardClientCertDetails": "ALWAYS_FORWARD_ONLY"}}),
    ),
    ("one more authority believed", put("mesh", "caCertificates", [{"pem": "x"}])),
    ("an old TLS between proxies", put("mesh", "meshMTLS", {"minProtocolVersion": "TLSV1_2"})),
    ("proxies that catch nothing", put("mesh", "defaultConfig", {"interceptionMode": "NONE"})),
    (
        "a policy for another control plane",
        put("PeerAuthentication orders", "metadata.labels", {"istio.io/rev": "old"}),
    ),
    ("senders that nobody declares closed", put("mesh", "outboundTrafficPolicy", {"mode": "REGISTRY_ONLY"})),
)
_WEB = {"selector": {"matchLabels": {"app": "web"}}}
_MORE = (
    (
        "an older statement about a workload",
        more("PeerAuthentication", "shop", {**_WEB, "mtls": {"mode": "PERMISSIVE"}}),
    ),
    ("a statement about all", more("PeerAuthentication", "istio-system", {"mtls": {"mode": "STRICT"}})),
    ("all let in", more("AuthorizationPolicy", "shop", {**_WEB, "rules": [{}]})),
    ("a filter", more("EnvoyFilter", "shop", {"configPatches": [{"applyTo": "LISTENER"}]})),
    ("a filter of what is received", more("WasmPlugin", "shop", {**_WEB, "url": "oci://x"})),
    (
        "listeners of its own",
        more("Sidecar", "shop", {"ingress": [{"port": {"number": 1, "protocol": "TCP", "name": "x"}}]}),
    ),
    ("a proxy in front", more("ProxyConfig", "shop", {"concurrency": 1})),
    (
        "no mutual TLS from another namespace",
        more(
            "DestinationRule",
            "batch",
            {"host": "*.shop.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "DISABLE"}}},
        ),
    ),
    (
        "no mutual TLS from one workload",
        more(
            "DestinationRule",
            "batch",
            {
                "host": "web.shop.svc.cluster.local",
                "workloadSelector": {"matchLabels": {"app": "job"}},
                "trafficPolicy": {"tls": {"mode": "DISABLE"}},
            },
        ),
    ),
    (
        "somebody else for a host of the mesh",
        more(
            "ServiceEntry",
            "batch",
            {
                "hosts": ["web.shop.svc.cluster.local"],
                "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
                "resolution": "STATIC",
                "endpoints": [{"address": "203.0.113.7"}],
            },
        ),
    ),
    ("undeclared workloads closed", more("AuthorizationPolicy", "batch", {})),
    (
        "a policy for pods that nobody declares",
        more(
            "AuthorizationPolicy", "shop", {"selector": {"matchLabels": {"app": "x"}}, "action": "DENY", "rules": [{}]}
        ),
    ),
    (
        "mutual TLS for pods that nobody declares",
        more("PeerAuthentication", "shop", {"selector": {"matchLabels": {"app": "x"}}, "mtls": {"mode": "DISABLE"}}),
    ),
    ("a policy for a namespace without anybody", more("AuthorizationPolicy", "far", {"action": "DENY", "rules": [{}]})),
    (
        "egress of undeclared workloads closed",
        more("Sidecar", "far", {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}),
    ),
    (
        "a gateway of pods that nobody declares",
        more(
            "Gateway",
            "shop",
            {
                "selector": {"istio": "ingressgateway"},
                "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
            },
        ),
    ),
    (
        "one more gateway",
        more(
            "Gateway",
            "shop",
            {
                "selector": {"app": "web"},
                "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
            },
        ),
    ),
    (
        "an older route",
        more(
            "VirtualService",
            "batch",
            {
                "hosts": ["web.shop.svc.cluster.local"],
                "http": [{"route": [{"destination": {"host": "job.batch.svc.cluster.local"}}]}],
            },
        ),
    ),
)
_ROUTES = (
    ("no mutual TLS to a service", put(_RULE, "spec.trafficPolicy.tls", {"mode": "DISABLE"})),
    ("TLS of its own to a service", put(_RULE, "spec.trafficPolicy.tls", {"mode": "SIMPLE"})),
    ("no mutual TLS to a version", put(_RULE, "spec.subsets.1.trafficPolicy", {"tls": {"mode": "DISABLE"}})),
    (
        "no mutual TLS to a port",
        put(_RULE, "spec.trafficPolicy.portLevelSettings", [{"port": {"number": 80}, "tls": {"mode": "DISABLE"}}]),
    ),
    (
        "somebody else taken for a service",
        put(
            _RULE, "spec.trafficPolicy.tls", {"mode": "ISTIO_MUTUAL", "subjectAltNames": ["spiffe://td/ns/far/sa/far"]}
        ),
    ),
    ("another server name asked for", put(_RULE, "spec.trafficPolicy.tls", {"mode": "ISTIO_MUTUAL", "sni": "other"})),
)
_EDGES = (
    ("no TLS at a gateway", put(_EDGE, "spec.servers.0.port.protocol", "HTTP")),
    (
        "no certificates of clients",
        put(_EDGE, "spec.servers.0.tls", {"mode": "SIMPLE", "credentialName": "cert"}),
    ),
    ("certificates of clients if they like", put(_EDGE, "spec.servers.0.tls.mode", "OPTIONAL_MUTUAL")),
    ("the mesh's certificates at a gateway", put(_EDGE, "spec.servers.0.tls", {"mode": "ISTIO_MUTUAL"})),
    ("another certificate", put(_EDGE, "spec.servers.0.tls.credentialName", "other")),
    ("another authority of clients", put(_EDGE, "spec.servers.0.tls.caCertCredentialName", "other")),
    ("the authority of clients by default", cut(_EDGE, "spec.servers.0.tls.caCertCredentialName")),
    ("an old TLS at a gateway", put(_EDGE, "spec.servers.0.tls.minProtocolVersion", "TLSV1_0")),
    ("a host that routes of all may take", put(_EDGE, "spec.servers.0.hosts.0", "*/shop.example")),
    ("a host that routes of another may take", put(_EDGE, "spec.servers.0.hosts.0", "other/shop.example")),
    ("proxies before a gateway forgotten", cut("mesh", "defaultConfig")),
    ("one proxy more before a gateway", put("mesh", "defaultConfig.gatewayTopology.numTrustedProxies", 2)),
)
_OUT = (
    (
        "everything outside, of one that may call all that is declared",
        put("Sidecar pay", "spec.outboundTrafficPolicy.mode", "ALLOW_ANY"),
    ),
    ("any address for a host outside", put("ServiceEntry stripe", "spec.resolution", "NONE")),
    (
        "another address for a host outside",
        put("ServiceEntry stripe", "spec.endpoints", [{"address": "evil.example"}]),
    ),
    ("another port of a host outside", put("ServiceEntry stripe", "spec.ports.0.targetPort", 8443)),
    ("nothing said of what is outside", cut("Sidecar pay", "spec.outboundTrafficPolicy")),
)
_WAYS = (
    ("redirected to TLS", put(_TWO, "spec.servers.0.tls", {"httpsRedirect": True})),
    ("another certificate at the second port", put(_TWO, "spec.servers.1.tls.credentialName", "other")),
    ("no TLS at the second port", put(_TWO, "spec.servers.1.port.protocol", "HTTP")),
    ("TLS passed through at the second port", put(_TWO, "spec.servers.1.tls", {"mode": "PASSTHROUGH"})),
    ("a port of a gateway lost", cut(_TWO, "spec.servers.1")),
    ("a host more at a port", add(_TWO, "spec.servers.1.hosts", "./other.example")),
    (
        "one more server",
        add(
            _TWO,
            "spec.servers",
            {"port": {"number": 9000, "name": "more", "protocol": "HTTP"}, "hosts": ["./two.example"]},
        ),
    ),
    (
        "TLS ended where it goes through",
        put("Gateway through", "spec.servers.0.tls", {"mode": "SIMPLE", "credentialName": "cert"}),
    ),
    ("every service behind a gateway by name", put("Gateway through", "spec.servers.0.tls.mode", "AUTO_PASSTHROUGH")),
    ("no TLS to what is outside", without(_BANK)),
    ("no TLS to what is outside, said", put(_BANK, _TLS, {"mode": "DISABLE"})),
    ("any certificate of what is outside", put(_BANK, f"{_TLS}.insecureSkipVerify", True)),
    ("a certificate of any authority", cut(_BANK, f"{_TLS}.caCertificates")),
    ("an authority of its own", put(_BANK, f"{_TLS}.caCertificates", "/etc/own.pem")),
    ("a certificate of any name", cut(_BANK, f"{_TLS}.subjectAltNames")),
    ("a certificate of another name", put(_BANK, f"{_TLS}.subjectAltNames", ["eu.bank.example"])),
    ("one name of a certificate more", add(_BANK, f"{_TLS}.subjectAltNames", "evil.example")),
    ("another server asked for outside", put(_BANK, f"{_TLS}.sni", "eu.bank.example")),
    ("TLS to what is outside at another port", put(_BANK, "spec.trafficPolicy.portLevelSettings.0.port.number", 80)),
    ("TLS to another host outside", put(_BANK, "spec.host", "other.example")),
    ("TLS that no sender begins", put(_BANK, "metadata.namespace", "other")),
    ("a certificate from a secret that sidecars do not read", put(_BANK, f"{_TLS}.credentialName", "bank")),
    ("a permissive workload that is strict", put("PeerAuthentication plain", "spec.mtls.mode", "STRICT")),
    ("a permissive workload that is disabled", put("PeerAuthentication plain", "spec.mtls.mode", "DISABLE")),
    ("a closed namespace permissive", put(_CLOSED, "spec.mtls.mode", "PERMISSIVE")),
    ("a closed namespace without mutual TLS", without(_CLOSED)),
    ("what a proxy knows inside lost", cut("Sidecar web", "spec.egress.0.hosts.0")),
)
_OUT_GATEWAY = "Gateway out"
_SENDING = "DestinationRule out"
_LEVEL = "trafficPolicy.portLevelSettings.0"
_RELAY = (
    (
        "identities not asked for on the way out",
        put(_OUT_GATEWAY, "spec.servers.0.tls", {"mode": "SIMPLE", "credentialName": "c"}),
    ),
    ("TLS handed on on the way out", put(_OUT_GATEWAY, "spec.servers.0.tls.mode", "PASSTHROUGH")),
    ("no TLS on the way out", put(_OUT_GATEWAY, "spec.servers.0.port.protocol", "HTTP")),
    ("a server of the way out lost", cut(_OUT_GATEWAY, "spec.servers.1")),
    ("one more host on the way out", add(_OUT_GATEWAY, "spec.servers.0.hosts", "./evil.example")),
    ("routes of all on the way out", put(_OUT_GATEWAY, "spec.servers.0.hosts.0", "*/api.example")),
    ("no identity shown to the gateway", put(_SENDING, f"spec.subsets.0.{_LEVEL}.tls", {"mode": "SIMPLE"})),
    ("plaintext to the gateway", put(_SENDING, f"spec.subsets.1.{_LEVEL}.tls", {"mode": "DISABLE"})),
    ("another name told to the gateway", put(_SENDING, f"spec.subsets.0.{_LEVEL}.tls.sni", "evil.example")),
    ("no name told to the gateway", cut(_SENDING, f"spec.subsets.0.{_LEVEL}.tls.sni")),
    ("the name of another told to the gateway", put(_SENDING, f"spec.subsets.1.{_LEVEL}.tls.sni", "api.example")),
    ("what is said to the gateway at another port", put(_SENDING, f"spec.subsets.0.{_LEVEL}.port.number", 80)),
    ("versions of the gateway lost", without(_SENDING)),
    ("no TLS behind the gateway", without("DestinationRule api")),
    ("any certificate behind the gateway", put("DestinationRule api", f"{_TLS}.insecureSkipVerify", True)),
    ("the way round the gateway", cut("VirtualService via-api", "spec.http.0")),
    (
        "straight to the host",
        put(
            "VirtualService via-api",
            "spec.http.0.route.0.destination",
            {"host": "api.example", "port": {"number": 443}},
        ),
    ),
    (
        "another host behind the gateway",
        put("VirtualService via-api", "spec.http.1.route.0.destination.host", "vault.example"),
    ),
    (
        "TLS straight to the host",
        put(
            "VirtualService via-vault",
            "spec.tls.0.route.0.destination",
            {"host": "vault.example", "port": {"number": 443}},
        ),
    ),
    (
        "a mirror behind the gateway",
        put("VirtualService via-api", "spec.http.1.mirrors", [{"destination": {"host": "vault.example"}}]),
    ),
    ("another path behind the gateway", put("VirtualService via-api", "spec.http.1.rewrite", {"uri": "/x"})),
    ("nothing behind the gateway", cut("VirtualService via-api", "spec.http.1")),
    (
        "another host behind the gateway, unread",
        put("VirtualService via-vault", "spec.tcp.0.route.0.destination.host", "api.example"),
    ),
)

TRANSPORT = tuple(
    Mutant(name, policy, change)
    for policy, mutants in (
        ("shop", (*_SHOP, *_MORE)),
        ("routes", _ROUTES),
        ("edge", _EDGES),
        ("outside", _OUT),
        ("relay", _RELAY),
        ("ways", _WAYS),
    )
    for name, change in mutants
)
