"""The words that random meshes and requests are made of: few, so that they meet."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from meshproof.compiler.ir.matchers import (
    Cidr,
    Exact,
    Matcher,
    Prefix,
    Present,
    Regex,
    Segments,
    Suffix,
    Template,
)

DAY = date(2026, 11, 23)
UNTILS = tuple(DAY + timedelta(days=days) for days in (-400, -1, 0, 1, 200))

TRUST_DOMAIN = "cluster.local"
ALIAS = "old.local"
PARTNER = "partner.example"
STRANGER = "stranger.example"
NAMESPACES = ("pay", "shop", "sre")
NODE_NAMES = ("cart", "catalog", "checkout", "frontend", "ledger", "mailer", "payment", "search")
TAGS = ("pci", "public")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
SEGMENTS = ("a", "admin", "api", "b", "v1")
HOSTS = ("api.example.com", "shop.example.com", "www.example.com")
HEADERS = ("x-a", "x-tenant")
JOINED_HEADER = "x-joined"  # no condition that is not lifted reads it
HEADER_VALUES = ("", "1", "a,b", "prod", "v1", "v2")
QUERIES = ("page", "q")
CLAIMS = (("groups",), ("org", "id"), ("scope",))
CLAIM_VALUES = ("admin", "admins", "dev", "dev read", "read", "v1")
SUBJECTS = ("alice", "bob")
AUDIENCES = ("mail", "shop")
ADDRESSES = ("10.0.0.1", "10.0.1.1", "10.255.255.255", "11.0.0.0", "192.0.2.9", "2001:db8::1", "2001:db9::1")
NETWORKS = ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.1/32", "192.0.2.0/24", "2001:db8::/32")

# Each with some strings that it takes and some that it does not.
REGEXES: dict[str, tuple[str, ...]] = {
    "v[12]": ("v1", "v2", "v3", "xv1"),
    "a+": ("a", "aa", "", "ab"),
    "(prod|dev).*": ("prod", "dev-1", "pro", "adev"),
    "[^a]*": ("", "1", "a", "prod"),
    ".*": ("", "1"),
}
PATH_REGEXES: dict[str, tuple[str, ...]] = {
    "/api/v[0-9]+(/.*)?": ("/api/v1", "/api/v1/a", "/api/v", "/x/api/v1"),
    "/[ab]": ("/a", "/b", "/c", "/a/"),
    "/.*admin.*": ("/admin", "/a/administrator", "/a"),
}


def path_pattern(rng: Random) -> str:
    """A segment pattern, often the start of another."""
    pieces = [rng.choice((*SEGMENTS, "*", "{id}")) for _ in range(rng.randint(0, 3))]
    ending = rng.choice(("", "", "/**", "/**", "/"))
    return "/" + "/".join(pieces) if pieces and not ending else "/".join(["", *pieces]) + (ending or "/")


def path_of_pattern(rng: Random, pattern: str) -> str:
    """A normal path that the pattern takes, or one that just misses it."""
    pieces = [
        rng.choice(SEGMENTS) if piece == "*" or piece.startswith("{") else piece for piece in pattern.split("/")[1:]
    ]
    if pieces[-1] == "**":
        pieces[-1:] = [rng.choice(SEGMENTS) for _ in range(rng.randint(0, 2))]
    path = "/" + "/".join(pieces)
    return rng.choice((path, path, path, path.removesuffix("/") + "/", path + "x", path.removesuffix("/") or "/"))


def plain_path(rng: Random) -> str:
    """A short normal path."""
    return "/" + "/".join(rng.choice(SEGMENTS) for _ in range(rng.randint(0, 3)))


def samples(rng: Random, matcher: Matcher) -> str:
    """A string at the edge of what the matcher takes: in it or next to it."""
    match matcher:
        case Exact(value) | Prefix(value) | Suffix(value):
            return rng.choice((value, value, value + "x", "x" + value, value[:-1]))
        case Segments(pattern):
            return path_of_pattern(rng, pattern)
        case Template(pattern):
            return path_of_pattern(rng, pattern.replace("{*}", "*").replace("{**}", "**"))
        case Regex(pattern):
            return rng.choice(REGEXES.get(pattern) or PATH_REGEXES.get(pattern) or ("",))
        case Cidr(network):
            return network.partition("/")[0]
        case Present():
            return rng.choice(HEADER_VALUES)
