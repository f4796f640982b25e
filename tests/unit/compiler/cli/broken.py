"""Broken policies and files that somebody may give to the command, with the code and place of the answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MEBIBYTE = 1024 * 1024
MESH = 'mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict }\n'
SERVICES = (
    "service web  { port http 80  versions v1, v2 }\nservice till { port grpc 5000 }\nservice db { port tcp 5432 }\n"
)
SOUND = MESH + SERVICES + "allow pay: web -> till:grpc { call shop.Till/Charge }\n"


@dataclass(frozen=True, slots=True)
class Broken:
    """Files of a folder in which `check` is called, and what it must say: `place` begins with the file."""

    name: str
    code: str
    place: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    arguments: tuple[str, ...] = (".",)
    prepare: Callable[[Path], object] | None = None

    def make(self, folder: Path) -> None:
        """Write the files."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        if self.prepare is not None:
            self.prepare(folder)


def policy(name: str, code: str, line: int, column: int, text: str) -> Broken:
    """A policy of a sound beginning and `text`, of which line and column count."""
    return Broken(name, code, f"policy.mesh:{line}:{column}", {"mesh.mesh": SOUND, "policy.mesh": text})


def large(names: Iterable[str], size: int) -> Callable[[Path], object]:
    """Files that say that they have so many bytes and take no place on the disk."""

    def make(folder: Path) -> None:
        for name in names:
            os.truncate(folder / name, size)

    return make


SYNTAX = (
    policy("a statement that is misspelt", "MP102", 1, 1, "alow x: web -> till\n"),
    policy("a word from another language", "MP102", 1, 1, "permit web -> till\n"),
    policy("a clause that is misspelt", "MP121", 2, 5, 'allow x: web -> till {\n    becuase "x"\n}\n'),
    policy("a brace that is never closed", "MP103", 1, 13, "service new { port http 80\nallow x: web -> till\n"),
    policy("a brace too many", "MP103", 1, 30, "service new { port http 80 } }\n"),
    policy("the wrong bracket", "MP103", 1, 61, 'allow x: web -> web { GET /x  when header["a"] in ["b", "c" }\n'),
    policy("a reserved word as a name", "MP104", 1, 9, "service all { port http 80 }\n"),
    policy("a name in upper case", "MP105", 1, 9, "service Web { port http 80 }\n"),
    policy("a string without an end", "MP108", 1, 32, 'allow x: web -> till { because "a while }\n'),
    policy("an escape that there is not", "MP109", 1, 36, 'allow x: web -> till { because "tab\\there" }\n'),
    policy("a number out of range", "MP212", 1, 25, "service new { port http 70000 }\n"),
    policy("a length of time without a unit", "MP111", 1, 26, "route web:http { timeout 2 }\n"),
    policy("a unit that is not known", "MP111", 1, 26, "route web:http { timeout 2hrs }\n"),
    policy(
        "a day that is not in the calendar",
        "MP112",
        1,
        42,
        'allow x: web -> till { because "x" until 2027-02-30 }\n',
    ),
    policy("a path that is not normal", "MP113", 1, 27, "allow x: web -> web { GET /a/../b }\n"),
    policy("a method without a path", "MP114", 1, 23, "allow x: web -> web { GET }\n"),
    policy("a method in lower case", "MP115", 1, 23, "allow x: web -> web { get /x }\n"),
    policy(
        "a clause on the line of an operation",
        "MP116",
        3,
        13,
        'allow x: web -> web {\n    GET /a\n    POST /b when header["a"] == "b"\n}\n',
    ),
    policy("two operators without parentheses", "MP117", 1, 22, "zone x = web or till and db\n"),
    policy("a clause that stands twice", "MP118", 1, 35, 'allow x: web -> till { owner "a"  owner "b" }\n'),
    policy("an address without quotes", "MP119", 1, 42, "allow x: web -> till { when source.ip in 10.0.0.0/8 }\n"),
    policy("brackets 65 deep", "MP120", 1, 138, f"zone x = {'{ ' * 65}web{' }' * 65}\n"),
    policy("an equals sign too few", "MP101", 1, 35, 'allow x: web -> web { when method = "GET" }\n'),
    policy("a text that ends in a rule", "MP101", 1, 15, "allow x: web ->"),
    policy("a semicolon", "MP106", 1, 21, "allow x: web -> till;\n"),
    policy("a character that turns the text", "MP107", 1, 9, "# allow \u202e till\n"),
    policy("a character that does not show", "MP107", 1, 11, "allow x: w\u200beb -> till\n"),
    policy("a zone of callers as a destination", "MP122", 1, 17, "allow x: web -> plaintext\n"),
    policy("a branch after the one that takes all", "MP123", 1, 35, "route web:http { otherwise => v1  /x => v2 }\n"),
    policy("a line of a hundred thousand characters", "MP102", 1, 1, f"alow {'x' * 100_000}\n"),
    policy("many mistakes at once", "MP102", 1, 1, "alow x\ndeny y: web => till\nservise z\n"),
)

NAMES = (
    policy("a name that is declared nowhere", "MP201", 1, 10, "allow x: wep -> till\n"),
    policy("a name that is given twice", "MP202", 1, 9, "service web { port http 80 }\n"),
    policy("a rule that is called as another", "MP202", 1, 7, "allow pay: web -> db\n"),
    policy("a thing of another kind", "MP203", 2, 10, 'issuer idp { url "https://idp" }\nallow x: idp -> till\n'),
    policy("a second mesh", "MP206", 1, 6, 'mesh other { language 1  trust-domain "b" }\n'),
    policy("an external without hosts", "MP209", 1, 10, "external api { port https 443 }\n"),
    policy("an environment that is not listed", "MP210", 1, 33, "service new { port http 80  env prod }\n"),
    policy("the port of the service, not of the workload", "MP211", 1, 21, "allow x: web -> web:8080\n"),
    policy("a tag that no service has", "MP213", 1, 17, "zone x = tagged pci\n"),
    policy("zones that contain each other", "MP215", 1, 1, "zone a = { b }\nzone b = { a }\n"),
    policy("a rule for a set without a name", "MP216", 1, 1, "allow authenticated -> till\n"),
    policy("a path on a port that carries TCP", "MP217", 1, 17, "allow x: web -> db:tcp { GET /x }\n"),
    policy("the internet inside", "MP219", 1, 10, "allow x: internet -> web\n"),
    policy("a value of the wrong type", "MP235", 2, 25, 'value p = "80"\nservice new { port http $p }\n'),
    policy("an address compared as text", "MP220", 1, 49, 'deny x: web -> till { when source.ip startswith "10." }\n'),
    policy(
        "a header that a proxy writes",
        "MP221",
        1,
        31,
        'deny x: web -> web { when has header["x-forwarded-for"] }\n',
    ),
    policy(
        "an expression that RE2 does not have",
        "MP222",
        1,
        44,
        'deny x: web -> web { when path matches re"/(?=a)" }\n',
    ),
    policy("a caller that can never be", "MP228", 1, 10, 'allow x: identity "spiffe://foreign/*" -> till\n'),
    policy("a test that is no request", "MP233", 1, 10, "test x { web -> web:http => allow }\n"),
    policy("a host with a scheme", "MP236", 1, 19, 'gateway g { hosts "https://a"  port http 80 }\n'),
    Broken("no mesh block", "MP205", "policy.mesh:1:1", {"policy.mesh": SERVICES}),
    Broken("no trust domain", "MP209", "policy.mesh:1:6", {"policy.mesh": "mesh shop { language 1 }\n"}),
    Broken(
        "a language of the future",
        "MP208",
        "policy.mesh:1:22",
        {"policy.mesh": MESH.replace("language 1", "language 9")},
    ),
    Broken("a policy that asks for zones", "MP224", "policy.mesh:2:6", {"policy.mesh": MESH + 'zone cde "cards"\n'}),
)

FILES = (
    Broken("an empty file", "MP205", "policy.mesh", {"policy.mesh": ""}),
    Broken("comments alone", "MP205", "policy.mesh:1:1", {"policy.mesh": "# nothing yet\n"}),
    Broken("a folder without policies", "MP006", ".", {"README.md": "x"}),
    Broken("an empty manifest", "MP006", "mesh.yaml", {"mesh.yaml": ""}, ("mesh.yaml",)),
    Broken(
        "a manifest of something else", "MP006", "values.yaml:1:1", {"values.yaml": "replicas: 2\n"}, ("values.yaml",)
    ),
    Broken("a manifest that is not there", "MP001", "no.yaml", arguments=("no.yaml", "--from", "istio")),
    Broken("a path that is not there", "MP001", "nowhere.mesh", arguments=("nowhere.mesh",)),
    Broken("a folder that is not there", "MP001", "nowhere", arguments=("nowhere/",)),
    Broken("a file as a folder", "MP001", "x.mesh", {"policy.mesh": SOUND}, ("policy.mesh/x.mesh",)),
    Broken("a binary file", "MP003", "policy.mesh", {"policy.mesh": b"\x7fELF\x02\x01\x01\0\0\0"}),
    Broken("a text with a zero byte", "MP003", "policy.mesh", {"policy.mesh": SOUND + "# \0\n"}),
    Broken("UTF-16", "MP002", "policy.mesh", {"policy.mesh": SOUND.encode("utf-16")}),
    Broken("Latin-1", "MP002", "policy.mesh:6:5", {"policy.mesh": SOUND.encode() + "# th\xe9\n".encode("latin-1")}),
    Broken(
        "a carriage return in a line",
        "MP107",
        "policy.mesh:1:9",
        {"policy.mesh": "# a note\rallow x: web -> db\n"},
    ),
    Broken(
        "a file over 8 MiB",
        "MP004",
        "policy.mesh",
        {"policy.mesh": ""},
        prepare=large(["policy.mesh"], 8 * MEBIBYTE + 1),
    ),
    Broken(
        "a policy over 64 MiB",
        "MP005",
        "8.mesh",
        {f"{n}.mesh": "" for n in range(9)},
        prepare=large([f"{n}.mesh" for n in range(9)], 8 * MEBIBYTE),
    ),
    Broken(
        "a file over a limit that was set",
        "MP004",
        "policy.mesh",
        {"policy.mesh": SOUND, "meshproof.toml": "max-file-bytes = '100 B'\n"},
    ),
    Broken(
        "a policy over a limit that was set",
        "MP005",
        "b.mesh",
        {"a.mesh": "#" * 600 + "\n", "b.mesh": "#" * 600 + "\n", "meshproof.toml": "max-policy-bytes = '1000 B'\n"},
    ),
    Broken("a use that leads out", "MP007", "policy.mesh:1:5", {"policy.mesh": 'use "../../etc/x.mesh"\n'}),
    Broken("a use with an absolute path", "MP007", "policy.mesh:1:5", {"policy.mesh": 'use "/etc/x.mesh"\n'}),
    Broken("a use of a URL", "MP007", "policy.mesh:1:5", {"policy.mesh": 'use "https://example.com/x.mesh"\n'}),
    Broken("a use of nothing", "MP008", "policy.mesh:1:5", {"policy.mesh": 'use "cards"\n', "cards.mesh": ""}),
    Broken("a use of a folder", "MP008", "policy.mesh:1:5", {"policy.mesh": 'use "cards"\n', "cards/x.mesh": ""}),
    Broken("a pack that is not shipped", "MP011", "policy.mesh:1:10", {"policy.mesh": 'use pack "no-such"\n'}),
    Broken(
        "files that use each other", "MP009", "b.mesh:1:1", {"a.mesh": 'use "b.mesh"\n', "b.mesh": 'use "a.mesh"\n'}
    ),
    Broken("a file that uses itself", "MP009", "a.mesh:1:1", {"a.mesh": 'use "a.mesh"\n'}),
    Broken(
        "a mistake at the end of a chain of 200 files",
        "MP102",
        "f199.mesh:1:1",
        {f"f{n}.mesh": f'use "f{n + 1}.mesh"\n' if n < 199 else "alow\n" for n in range(200)},
        ("f0.mesh",),
    ),
    Broken(
        "a link out of the tree",
        "MP007",
        "policy.mesh",
        prepare=lambda folder: (folder / "policy.mesh").symlink_to("/etc/hostname"),
    ),
    Broken(
        "a link to itself",
        "MP001",
        "policy.mesh",
        prepare=lambda folder: (folder / "policy.mesh").symlink_to("policy.mesh"),
    ),
    Broken(
        "a link to nothing",
        "MP001",
        "policy.mesh",
        prepare=lambda folder: (folder / "policy.mesh").symlink_to("gone"),
    ),
    Broken("a pipe", "MP001", "policy.mesh", prepare=lambda folder: os.mkfifo(folder / "policy.mesh")),
    Broken("a device", "MP001", "null", arguments=("/dev/null",)),
    Broken(
        "a folder that is called as a policy", "MP006", ".", prepare=lambda folder: (folder / "policy.mesh").mkdir()
    ),
    Broken(
        "a setting that is not known",
        "MP020",
        "meshproof.toml:1:1",
        {"policy.mesh": SOUND, "meshproof.toml": "jbos = 3\n"},
    ),
    Broken(
        "settings that are no TOML",
        "MP020",
        "meshproof.toml:1:7",
        {"policy.mesh": SOUND, "meshproof.toml": "jobs =\n"},
    ),
    Broken("an environment that there is not", "MP210", "mesh.mesh:1:6", {"mesh.mesh": SOUND}, (".", "--env", "prod")),
)

ALL = (*SYNTAX, *NAMES, *FILES)
