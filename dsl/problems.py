"""The ledger of everything that Meshproof can complain about, in number order.

MP0 the tool, MP1 syntax, MP2 names and kinds, MP3 authorization, MP4 routing, MP5 identity and mTLS, MP6 assertions,
MP7 targets, MP8 runtime, MP9 users' own packs. A retired number is never used again.
"""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.dsl.diagnostic import Diagnostic, Fix, Label, Severity
from meshproof.dsl.source import Span


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of finding. `severity` is the default; `slug` is its stable readable name; `summary` one sentence."""

    code: str
    slug: str
    severity: Severity
    summary: str


KINDS: dict[str, str] = {
    "MP0": "The tool, and reading files",
    "MP1": "Syntax",
    "MP2": "Names and kinds",
    "MP3": "Authorization",
    "MP4": "Routing",
    "MP5": "Identity and mTLS",
    "MP6": "Claims and tests",
    "MP7": "Targets",
    "MP8": "Runtime",
    "MP9": "Packs of users",
}
"""What the first digit of a code stands for."""

_E = Severity.ERROR
_W = Severity.WARNING
_I = Severity.INFO

LEDGER: tuple[Problem, ...] = (
    # MP0: the tool, and reading files.
    Problem("MP001", "unreadable", _E, "a file or folder cannot be read"),
    Problem("MP002", "not-utf8", _E, "a file is not UTF-8 text"),
    Problem("MP003", "binary-file", _E, "a file is not text"),
    Problem("MP004", "file-too-large", _E, "a file is larger than the limit"),
    Problem("MP005", "policy-too-large", _E, "the files of a policy are together larger than the limit"),
    Problem("MP006", "nothing-to-read", _E, "a folder holds no policy file"),
    Problem("MP007", "use-outside", _E, "a used path leads out of the repository, or is no relative path"),
    Problem("MP008", "use-missing", _E, "a used file does not exist"),
    Problem("MP009", "use-cycle", _E, "files use each other in a circle"),
    Problem("MP010", "use-again", _E, "a file is bound by more than one `use`"),
    Problem("MP011", "unknown-pack", _E, "no pack of that name is shipped"),
    Problem("MP020", "configuration", _E, "a setting is unknown or has a value that it cannot have"),
    Problem(
        "MP021",
        "environment-not-chosen",
        _E,
        "the environment that was asked for is not declared, or none was asked for",
    ),
    Problem(
        "MP022", "policy-and-manifests", _E, "a policy and manifests stand together, and nothing says which is meant"
    ),
    # MP1: syntax.
    Problem("MP101", "syntax", _E, "the text is not what the grammar asks for"),
    Problem("MP102", "unknown-statement", _E, "a statement begins with a word that is none"),
    Problem("MP103", "missing-brace", _E, "a brace, bracket or parenthesis has no partner"),
    Problem("MP104", "reserved-word", _E, "a reserved word is used as a name"),
    Problem("MP105", "bad-name", _E, "a name has a form that only a quoted name may have, or is too long"),
    Problem("MP106", "bad-character", _E, "the text holds a character that may not be there"),
    Problem("MP107", "hidden-character", _E, "the text holds a control or bidirectional character"),
    Problem("MP108", "unterminated-string", _E, "a string has no end on its line"),
    Problem("MP109", "bad-escape", _E, "a string holds an escape that does not exist"),
    Problem("MP110", "bad-number", _E, "a number is out of range"),
    Problem("MP111", "bad-unit", _E, "a duration has no unit that is known"),
    Problem("MP112", "bad-date", _E, "a date is not a day of the calendar as YYYY-MM-DD"),
    Problem("MP113", "bad-path", _E, "a path is not a pattern of whole segments in normal form"),
    Problem("MP114", "method-without-path", _E, "a method stands without a path"),
    Problem("MP115", "bad-method", _E, "a method is not in upper case"),
    Problem("MP116", "clause-on-operation-line", _E, "a clause stands on the line of one of several operations"),
    Problem("MP117", "mixed-operators", _E, "two kinds of operator meet without parentheses or braces"),
    Problem("MP118", "repeated-clause", _E, "a clause that may stand once stands again"),
    Problem("MP119", "unquoted-text", _E, "something that must be quoted is not"),
    Problem("MP120", "too-deep", _E, "braces and parentheses are nested too deeply"),
    Problem("MP121", "unknown-word", _E, "a word is none of those that may stand there"),
    Problem("MP122", "misplaced-set", _E, "a set stands where it can never be meant"),
    Problem("MP123", "misplaced-clause", _E, "a setting or clause stands where it means nothing"),
    Problem("MP124", "manifest-syntax", _E, "a manifest is no YAML or JSON that is taken"),
    # MP2: names and kinds.
    Problem("MP201", "unknown-name", _E, "a name is declared nowhere"),
    Problem("MP202", "duplicate-name", _E, "a name is given twice"),
    Problem("MP203", "wrong-kind", _E, "a name stands for a thing of another kind than is meant there"),
    Problem("MP204", "not-in-environment", _E, "a name is used in an environment where it is not declared"),
    Problem("MP205", "no-mesh", _E, "a policy has no `mesh` block"),
    Problem("MP206", "second-mesh", _E, "a policy has two `mesh` blocks"),
    Problem("MP207", "no-language", _W, "a `mesh` block does not say its language"),
    Problem("MP208", "unknown-language", _E, "a policy is written in a language version that is not known"),
    Problem("MP209", "missing-part", _E, "a declaration lacks a part that it cannot be without"),
    Problem("MP210", "unknown-environment", _E, "an environment is used that the `mesh` block does not list"),
    Problem("MP211", "unknown-port", _E, "a destination has no such port"),
    Problem("MP212", "bad-port", _E, "a port cannot be declared so"),
    Problem("MP213", "unknown-tag", _E, "no service has the tag"),
    Problem("MP214", "unknown-version-expected", _E, "a test expects a version that the destination does not have"),
    Problem("MP215", "zone-cycle", _E, "zones contain each other, or too many of them"),
    Problem("MP216", "rule-without-name", _E, "a rule whose sources or destinations are no single name has no name"),
    Problem("MP217", "http-on-tcp", _E, "what speaks of HTTP names a port that carries TCP, or leaves only such"),
    Problem("MP218", "no-ports", _E, "a destination has no port: it only calls"),
    Problem("MP219", "internet-inside", _E, "`internet` stands before a destination that is no gateway"),
    Problem("MP220", "wrong-test", _E, "a test does not suit its attribute"),
    Problem("MP221", "header-name", _E, "a header is named that another attribute stands for, or that is none"),
    Problem("MP222", "regex", _E, "a regular expression cannot be read"),
    Problem("MP223", "mtls-twice", _E, "two mTLS statements are equally close to a port"),
    Problem("MP224", "unbound-zone", _E, "a file asks for a zone that no `use` binds"),
    Problem("MP225", "unknown-binding", _E, "a `use` binds a zone that the file does not ask for"),
    Problem("MP226", "misplaced-statement", _E, "a statement stands outside of the files that its namespace names"),
    Problem("MP227", "egress-unstated", _E, "there is an external, and the mesh does not say whether egress is closed"),
    Problem("MP228", "bad-identity", _E, "an identity or trust domain cannot be read, or is never verified"),
    Problem("MP229", "client-ip-source", _E, "a rule reads `client.ip` and its sources are not gateways alone"),
    Problem("MP230", "ask-and-via", _E, "an `ask` has no authorizer, or another rule has one"),
    Problem("MP231", "second-route", _E, "two routes are for the same port"),
    Problem("MP232", "bad-route", _E, "a route says what its destination or its sender cannot do"),
    Problem("MP233", "test-not-concrete", _E, "a test line does not make one request"),
    Problem("MP234", "empty-destination", _W, "a rule or statement is for a set without members"),
    Problem("MP235", "value-type", _E, "a value is a number where a string is needed, or the other way round"),
    Problem("MP236", "bad-value", _E, "a host, address or number cannot be what it is written for"),
    Problem("MP237", "no-certificate", _W, "a gateway ends TLS without a certificate"),
    Problem("MP238", "overlay-statement", _E, "an overlay holds a statement that only a policy may hold"),
    # MP3: authorization.
    Problem("MP301", "overridden-by-deny", _E, "every request that a rule matches is refused by denies"),
    Problem("MP302", "impossible", _E, "no request can match a rule"),
    Problem("MP303", "duplicate", _W, "two rules of one effect match the same requests"),
    Problem("MP304", "shadowed", _W, "another rule of the same effect matches all that a rule matches"),
    Problem("MP305", "overly-broad", _W, "a rule lets in more than it has to"),
    Problem("MP306", "jointly-shadowed", _W, "other rules together match all that a rule matches"),
    Problem("MP307", "inert-deny", _W, "a deny refuses nothing that would be allowed without it"),
    Problem("MP308", "conflict", _I, "an allow and a deny overlap"),
    Problem("MP309", "expired", _E, "a rule or exception is past its `until`"),
    Problem("MP310", "missing-reason", _E, "an exception lacks `because`, `owner` or `until`"),
    Problem("MP311", "waiver-expired", _E, "a waiver is past its `until`"),
    Problem("MP312", "waiver-unused", _W, "a waiver accepts nothing that was found"),
    Problem("MP313", "deny-escaped-by-slash", _W, "a last slash escapes a deny"),
    Problem("MP314", "deny-escaped-by-omission", _W, "leaving something out escapes a deny"),
    Problem("MP315", "allow-lost-by-addition", _E, "adding something to an allowed request makes it refused"),
    Problem("MP316", "host-alone", _W, "a rule rests on the host, which any caller chooses"),
    Problem("MP317", "deny-skips-tcp", _I, "a deny speaks of HTTP and does not cover the TCP ports in its set"),
    Problem("MP318", "rule-undecided", _W, "something about a rule could not be decided"),
    Problem("MP319", "never-admitted", _W, "transport refuses every request that a rule matches"),
    Problem("MP320", "needed-not-allowed", _W, "no rule allows a call that a service declares to make"),
    Problem("MP321", "allowed-not-needed", _I, "a service is allowed a call that it does not declare to make"),
    Problem("MP322", "unguarded-workloads", _W, "no policy selects a workload, so everyone may call it"),
    Problem("MP323", "prefix-without-boundary", _W, "a prefix of a path ends in the middle of a segment"),
    Problem("MP324", "covered-value", _I, "a value in a rule is covered by another one beside it"),
    Problem("MP325", "namespace-of-gateway", _I, "a rule takes a whole namespace in which a gateway runs"),
    Problem("MP326", "path-guard-escaped", _W, "another spelling of a path steps round a rule that refuses it"),
    Problem("MP327", "host-without-port", _W, "a rule compares the host as sent, and takes it without a port alone"),
    Problem("MP328", "tcp-closed", _W, "a rule that speaks of HTTP refuses connections at TCP ports"),
    Problem("MP329", "service-port", _W, "a rule names the port of a Service, and the pods listen on another one"),
    Problem("MP330", "forgeable-address", _W, "a rule rests on an address that any caller in the mesh can claim"),
    Problem("MP331", "authorizer-fails", _W, "an external authorizer is not asked, or lets through what it fails on"),
    Problem("MP332", "claim-not-text", _W, "a claim that is no text is compared with one"),
    # MP4: routing.
    Problem("MP401", "unreachable-branch", _E, "the branches before it take every request of a branch"),
    Problem("MP402", "request-no-branch-takes", _W, "some request is taken by no branch of a route"),
    Problem("MP403", "unknown-version", _E, "a route names a version that the destination does not have"),
    Problem("MP404", "weights", _E, "the weights of a branch do not sum to 100"),
    Problem("MP405", "retries-beyond-timeout", _W, "the retries of a route take longer than its timeout"),
    Problem("MP406", "mirror-leaves-zone", _W, "a mirror copies requests out of a zone of their destination"),
    Problem("MP407", "rewrite-read-by-rule", _W, "a route rewrites what a rule of the destination reads"),
    Problem("MP408", "allowed-not-routed", _W, "a request is allowed but routed nowhere"),
    Problem("MP409", "routed-not-allowed", _W, "a request is routed but allowed by nothing"),
    Problem("MP410", "retry-replays", _W, "a route repeats requests that may change something"),
    Problem("MP411", "guard-at-sender", _W, "a route guards what the destination lets in"),
    Problem("MP412", "route-takes-neighbour", _W, "the prefix of a route takes a path that something else is about"),
    # MP5: identity and mTLS.
    Problem("MP501", "plaintext-reachable", _W, "a caller without identity reaches a destination"),
    Problem("MP502", "identity-without-mtls", _E, "a rule asks for an identity where nobody has one"),
    Problem("MP503", "claim-without-issuer", _E, "a rule reads a token where the destination accepts no issuer"),
    Problem("MP504", "default-account", _W, "a source has the account `default`, which it shares"),
    Problem("MP505", "shared-identity", _W, "a rule that names a service means another one with the same identity"),
    Problem("MP506", "token-not-required", _W, "tokens are verified, and none is needed"),
    Problem("MP507", "keys-unreachable", _W, "the keys of an issuer stand where they cannot be read, or be changed"),
    Problem("MP508", "namespace-of-any-domain", _W, "a rule for a namespace takes that of a foreign trust domain too"),
    # MP6: assertions.
    Problem("MP601", "claim-refuted", _E, "a request or chain of requests refutes a claim"),
    Problem("MP602", "claim-vacuous", _W, "a claim holds because nothing could break it"),
    Problem("MP603", "empty-set", _E, "a claim speaks of a set without members"),
    Problem("MP604", "test-failed", _E, "a test expects another outcome"),
    Problem("MP605", "claim-undecided", _W, "a claim could not be decided"),
    Problem("MP606", "check-undecided", _W, "a check could not be decided"),
    Problem("MP607", "untested-rule", _I, "no test has a request that a rule decides"),
    # MP7: targets.
    Problem("MP701", "unsupported-feature", _E, "the target cannot express something"),
    Problem("MP702", "external-without-gateway", _E, "requests to an external are judged, and pass no gateway"),
    Problem("MP703", "looser-than-source", _E, "the target would refuse less than the policy"),
    Problem("MP704", "stricter-than-source", _W, "the target refuses more than the policy"),
    Problem("MP705", "emitted-looser", _E, "emitted files, read back, let through what the policy refuses"),
    Problem("MP706", "name-collision", _E, "two things become one object of the target"),
    Problem("MP707", "raw-path-hazard", _E, "a raw path steps round a rule in the mesh as it is configured"),
    Problem("MP708", "residual", _I, "something to know that no emitted object can change"),
    Problem("MP709", "bad-target-option", _E, "an option of the target is not known, or contradicts the policy"),
    Problem("MP710", "not-proved", _W, "emitted files, read back, could not be proved to mean what the policy says"),
    Problem("MP711", "unknown-field", _E, "an object has a field that its kind does not have"),
    Problem("MP712", "refused-object", _E, "an object has a field that Kubernetes or Istio refuses"),
    Problem("MP713", "not-modelled", _I, "an object says something that is not modelled"),
    Problem("MP714", "competing-objects", _W, "of several objects only one is in force"),
    Problem("MP715", "unknown-workload", _W, "an object speaks of a workload that no file makes"),
    Problem("MP716", "literal-pattern", _W, "a value in a policy does not mean what it looks like"),
    Problem("MP717", "dry-run", _W, "a policy decides nothing, because it is a dry run"),
    Problem("MP718", "client-tls", _W, "a DestinationRule takes away what protects a connection"),
    Problem("MP719", "policy-unheeded", _W, "a policy is attached to something whose proxies do not heed it"),
    Problem("MP720", "ambient-rule", _W, "the proxy of a node reads a rule otherwise than it is written"),
    Problem("MP721", "waypoint-bypassed", _W, "callers may pass a waypoint by"),
    Problem("MP722", "proxied-address", _W, "a rule compares the address of a proxy with those of clients"),
    Problem("MP723", "emitted-otherwise", _E, "emitted files, read back, refuse or reroute what no loss explains"),
    Problem("MP724", "certificate-escaped", _W, "a host that needs a client's certificate is given without one"),
    Problem("MP725", "app-mesh-ended", _W, "the files are for App Mesh, which AWS has ended"),
    Problem("MP726", "unsettled-template", _E, "a template says something that only a deployed stack knows"),
    Problem("MP727", "cooperative-control", _I, "a control is kept by the proxies of callers alone"),
)

BY_CODE: dict[str, Problem] = {problem.code: problem for problem in LEDGER}


def problem(code: str) -> Problem:
    """The entry of the ledger; raises KeyError for a code that is not in it."""
    return BY_CODE[code]


def found(  # noqa: PLR0913 - the parts of a finding
    code: str,
    message: str,
    at: Span,
    text: str = "",
    *,
    help: str | None = None,  # noqa: A002 - the word of diagnostics
    others: tuple[Label, ...] = (),
    fixes: tuple[Fix, ...] = (),
) -> Diagnostic:
    """A finding of the code's usual severity at one place, which `text` is said of; `others` are further places."""
    label = Label(at, text, is_primary=True)
    return Diagnostic(code, BY_CODE[code].severity, message, labels=(label, *others), help=help, fixes=fixes)
