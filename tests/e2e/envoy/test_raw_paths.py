"""Ways to write a path that get round rules elsewhere: none lets through what the policy refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.envoy.stage import DECODING, Stage, http_request

pytestmark = pytest.mark.e2e

MESH = """mesh m { language 1  trust-domain "td"  namespace app  egress closed }
mtls permissive for b { because "tests come in the clear" until 2027-01-31 }
service b { port http 80 -> 8080 }
"""
CLEAR = '\nbecause "tests come in the clear" until 2027-01-31'
EVERY = f"allow whole: anyone -> b {{ * /** {CLEAR} }}\n"
POLICIES = {
    "denies": EVERY
    + "deny x: anyone -> b { * /admin/** }\ndeny y: anyone -> b { * / }\ndeny z: anyone -> b { GET /a/b }",
    "templates": EVERY + "deny x: anyone -> b { * /a/{id}/b  * /admin/*/** }",
    "exceptions": f'allow some: anyone -> b {{ * /** {CLEAR} unless path in /admin/** unless path == "/" }}',
    "allows": f"allow some: anyone -> b {{ GET /  GET /admin/**  GET /a/{{id}}  GET /a;x {CLEAR} }}",
    "ends": EVERY + 'deny x: anyone -> b { when path endswith "/b" or path startswith "/adm" }',
}
SPELLINGS = (
    "/",
    "/admin",
    "/admin/",
    "/admin/x",
    "/a/b",
    "/a/1/b",
    "/a/b/c",
    "/public",
    "/a;x",
    "/A/b",
    "/administrator",
)


def spelt(path: str) -> Iterator[str]:
    """The path, and other ways to write it, or what looks like it."""
    yield path
    for slash in (
        "//",
        "/./",
        "/x/../",
        "%2F",
        "%2f",
        "%5C",
        "\\",
        "/%2e/",
        "/%2E%2e/",
        "/;/",
        "/.;x/",
        "/..;/",
        "///",
    ):
        yield path.replace("/", slash)
        yield path.replace("/", slash, 1)
        yield path[:1] + path[1:].replace("/", slash)
    for end in (
        "/",
        "//",
        "/.",
        "/..",
        "/./",
        "%2F",
        "%2f..",
        "\\",
        ";",
        ";x=1",
        "?",
        "?q=/admin",
        "#",
        "#/x",
        "%23",
        "%3F",
    ):
        yield path + end
    for end in (
        "%00",
        "%",
        "%2",
        "%zz",
        "%25",
        "%252F",
        "%20",
        "+",
        "~",
        "%7E",
        "%7e",
        "%C3%A9",
        "\xe9",
        "|",
        '"',
        "{}",
        "[x]",
        "*",
    ):
        yield path + end
    for start in ("/.", "/..", "/x/..", "/%2e%2e", "/%2e", "http://h", "//h", "/.;", "/a/.."):
        yield start + path
    yield path.upper()
    yield "".join(f"%{ord(char):02x}" if char.isalpha() else char for char in path)
    yield "".join(f"%{ord(char):02X}" if char != "/" else char for char in path)
    yield path.replace("a", "%61", 1)
    yield path.replace("a", "%2561", 1)
    yield path.replace("/", "/\t")
    yield path.replace("/", "/\x00")
    yield path.removeprefix("/")


ODD = (
    "*",
    "?",
    "#",
    "//",
    "///",
    "////",
    "/%2f",
    "/%5c",
    "\\",
    "\\\\",
    "/.",
    "/..",
    "/../..",
    "/%",
    "/%%",
    "/%2%46",
    ".",
    "h:80",
)


@pytest.mark.parametrize("mode", [DECODING, "MERGE_SLASHES", "BASE"])
def test_no_spelling_gets_round_a_rule(mode: str, stage: Stage, tmp_path: Path) -> None:
    wanted = POLICIES if mode == DECODING else {"allows": POLICIES["allows"]}
    plays = [stage.put_on(MESH + text, mode, has_mesh=True) for text in wanted.values()]
    raw = sorted({spelling for path in SPELLINGS for spelling in spelt(path) if spelling} | set(ODD))
    sent = 0
    with stage.open(tmp_path):
        for play in plays:
            for path in raw if mode == DECODING else raw[::3]:
                sent += stage.send(play, http_request("b", 8080, path)) is not None
    assert sent > 250
    assert stage.counts["rule True"] > 20
    assert stage.counts["default False"] + stage.counts["rule False"] > 100


def test_what_is_forwarded_is_what_was_judged(stage: Stage, tmp_path: Path) -> None:
    play = stage.put_on(MESH + EVERY, has_mesh=True)
    seen: dict[str, str | None] = {}
    with stage.open(tmp_path):
        for path in (
            "/a//b",
            "/a/%2e%2e/b",
            "/a%2Fb",
            "/%61",
            "//",
            "///",
            "/a|b",
            "/a;x//y",
            "/x#y",
            "/x?a//b",
            "/%2520",
        ):
            reply = stage.send(play, http_request("b", 8080, path))
            seen[path] = reply.header("x-seen-path") if reply is not None else None
    assert seen == {
        "/a//b": "/a/b",
        "/a/%2e%2e/b": "/b",
        "/a%2Fb": "/a/b",
        "/%61": "/a",
        "//": "//",
        "///": "//",
        "/a|b": "/a%7Cb",
        "/a;x//y": "/a;x/y",
        "/x#y": "/x",
        "/x?a//b": "/x?a//b",
        "/%2520": "/%2520",
    }
