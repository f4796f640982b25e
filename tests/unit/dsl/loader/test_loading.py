"""Reading policies from disk and memory, whatever is found there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.loader import Limits, Loaded, load, load_texts


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def codes(loaded: Loaded) -> list[str]:
    return [diagnostic.code for diagnostic in loaded.diagnostics]


def paths(loaded: Loaded) -> list[str]:
    return [document.source.path for document in loaded.documents]


def only(loaded: Loaded) -> Diagnostic:
    (diagnostic,) = loaded.diagnostics
    return diagnostic


RULE = "allow a -> b\n"


def test_a_folder_is_read_with_all_below_it_in_the_order_of_paths(tmp_path: Path) -> None:
    write(tmp_path, {"z.mesh": RULE, "a/b.mesh": RULE, "a.mesh": RULE, "read.me": "x", "a/c/d.mesh": RULE})

    loaded = load([tmp_path])

    assert loaded.is_sound
    assert paths(loaded) == ["a.mesh", "a/b.mesh", "a/c/d.mesh", "z.mesh"]
    assert loaded.root == tmp_path
    assert [len(tree.statements) for tree in loaded.trees] == [1, 1, 1, 1]
    assert {tree.span.file for tree in loaded.trees} == set(paths(loaded))


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, {"a.mesh": RULE, ".#a.mesh": "!!", ".git/x.mesh": "!!"})

    assert paths(load([tmp_path])) == ["a.mesh"]


def test_several_paths_are_shown_from_the_folder_above_all_and_each_file_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, {"one/a.mesh": RULE, "two/b.mesh": RULE})

    loaded = load([tmp_path / "one", tmp_path / "two" / "b.mesh", tmp_path / "one" / "a.mesh"])

    assert paths(loaded) == ["one/a.mesh", "two/b.mesh"]


def test_a_file_is_shown_by_its_name_alone(tmp_path: Path) -> None:
    write(tmp_path, {"policy.mesh": "servce a { }"})

    diagnostic = only(load([tmp_path / "policy.mesh"]))

    assert diagnostic.primary is not None
    assert diagnostic.primary.file == "policy.mesh"


def test_stdin_is_a_file_of_its_own(tmp_path: Path) -> None:
    loaded = load([tmp_path / "a.mesh"], stdin=RULE)

    assert paths(loaded) == ["<stdin>"]
    assert codes(loaded) == ["MP001"]


def test_what_is_not_there_is_a_finding_that_names_no_machine(tmp_path: Path) -> None:
    diagnostic = only(load([tmp_path / "missing.mesh"]))

    assert diagnostic.code == "MP001"
    assert str(tmp_path) not in diagnostic.message
    assert "missing.mesh" in diagnostic.message


def test_a_folder_without_policies_is_a_finding(tmp_path: Path) -> None:
    assert codes(load([tmp_path])) == ["MP006"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mesh")

    diagnostic = only(load([tmp_path]))

    assert diagnostic.code == "MP001"
    assert "no file" in diagnostic.message


@pytest.mark.parametrize(
    ("content", "code", "start"),
    [
        (b"allow \x00 a", "MP003", 0),
        (b"\xff\xfea\x00l\x00", "MP002", 0),
        (b"# caf\xe9\nallow a -> b", "MP002", 5),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "MP003", 0),
        ("# é".encode() + b"\xff", "MP002", 3),
    ],
)
def test_what_is_no_text_is_refused_at_its_place(tmp_path: Path, content: bytes, code: str, start: int) -> None:
    loaded = load([write(tmp_path, {"a.mesh": content})])

    diagnostic = only(loaded)
    assert diagnostic.code == code
    assert diagnostic.primary is not None
    assert diagnostic.primary.start == start
    assert loaded.documents == ()
    assert [source.path for source in loaded.sources] == ["a.mesh"]


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    loaded = load([write(tmp_path, {"a.mesh": b"\xef\xbb\xbf" + RULE.encode()})])

    assert loaded.is_sound
    assert loaded.documents[0].source.text == RULE


def test_a_file_beyond_the_limit_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    write(tmp_path, {"big.mesh": "(" * 100, "small.mesh": RULE})

    loaded = load([tmp_path], limits=Limits(max_file_bytes=99))

    assert codes(loaded) == ["MP004"]
    assert paths(loaded) == ["small.mesh"]


def test_the_usual_limit_of_a_file_is_eight_mebibytes(tmp_path: Path) -> None:
    with (tmp_path / "big.mesh").open("wb") as file:
        file.truncate(8 * 1024 * 1024 + 1)

    assert codes(load([tmp_path])) == ["MP004"]
    assert Limits().max_policy_bytes == 64 * 1024 * 1024


def test_a_policy_beyond_the_limit_is_refused_once_and_before_anything_is_parsed(tmp_path: Path) -> None:
    write(tmp_path, {f"{name}.mesh": RULE for name in "abcd"})
    write(tmp_path, {"a.mesh": "}" * len(RULE)})

    loaded = load([tmp_path], limits=Limits(max_policy_bytes=2 * len(RULE)))

    assert codes(loaded) == ["MP005"]
    assert paths(loaded) == []


def test_the_usual_limit_of_a_policy_is_64_mebibytes(tmp_path: Path) -> None:
    for number in range(9):
        with (tmp_path / f"{number}.mesh").open("wb") as file:
            file.truncate(8 * 1024 * 1024)

    (finding,) = load([tmp_path]).diagnostics

    assert finding.code == "MP005"
    assert finding.message == "with `8.mesh` the policy is larger than 64 MiB"


def test_what_is_used_counts_too(tmp_path: Path) -> None:
    write(tmp_path / "p", {"a.mesh": f'use "../q/b.mesh"\n{RULE}'})
    write(tmp_path / "q", {"b.mesh": RULE})
    (tmp_path / ".git").mkdir()

    loaded = load([tmp_path / "p"], limits=Limits(max_policy_bytes=2 * len(RULE)))

    assert codes(loaded) == ["MP005"]


def test_the_depth_of_brackets_is_a_limit_too() -> None:
    assert codes(load_texts({"a.mesh": "zone z = {{{a}}}"}, limits=Limits(max_depth=2))) == ["MP120"]
    assert codes(load_texts({"a.mesh": "zone z = {{{a}}}"}, limits=Limits(max_depth=3))) == []


# ---- links


def test_a_link_within_the_tree_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, {"real/a.mesh": RULE})
    (tmp_path / "b.mesh").symlink_to("real/a.mesh")

    loaded = load([tmp_path])

    assert loaded.is_sound
    assert len(loaded.documents) == 1


def test_a_link_out_of_the_tree_is_refused_and_not_read(tmp_path: Path) -> None:
    write(tmp_path, {"secret.mesh": 'allow a -> b { because "secret" }', "policy/a.mesh": RULE})
    (tmp_path / "policy" / "b.mesh").symlink_to("../secret.mesh")
    (tmp_path / "policy" / "c").symlink_to(tmp_path)

    loaded = load([tmp_path / "policy"])

    assert codes(loaded) == ["MP007", "MP007"]
    assert paths(loaded) == ["a.mesh"]
    assert all("secret" not in source.text for source in loaded.sources)


def test_a_link_may_lead_anywhere_in_the_repository(tmp_path: Path) -> None:
    write(tmp_path, {".git/HEAD": "", "common/base.mesh": RULE, "policy/a.mesh": RULE})
    (tmp_path / "policy" / "b.mesh").symlink_to("../common/base.mesh")

    assert paths(load([tmp_path / "policy"])) == ["a.mesh", "b.mesh"]


def test_links_that_go_in_circles_end(tmp_path: Path) -> None:
    write(tmp_path, {"a/x.mesh": RULE})
    (tmp_path / "a" / "again").symlink_to("../a")
    (tmp_path / "self.mesh").symlink_to("self.mesh")

    loaded = load([tmp_path])

    assert codes(loaded) == ["MP001"]
    assert paths(loaded) == ["a/x.mesh"]


# ---- use


def test_a_used_file_is_read_relative_to_the_file_that_uses_it(tmp_path: Path) -> None:
    write(tmp_path, {".git/HEAD": "", "p/q/a.mesh": 'use "../../common/b.mesh"', "common/b.mesh": 'use "c.mesh"'})
    write(tmp_path, {"common/c.mesh": RULE})

    loaded = load([tmp_path / "p" / "q"])

    assert loaded.is_sound
    assert paths(loaded) == ["../../common/b.mesh", "../../common/c.mesh", "a.mesh"]


def test_a_file_that_is_used_twice_or_is_there_anyway_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, {"a.mesh": 'use "c.mesh"', "b.mesh": 'use "./x/../c.mesh"', "c.mesh": RULE})

    loaded = load([tmp_path])

    assert loaded.is_sound
    assert paths(loaded) == ["a.mesh", "b.mesh", "c.mesh"]


@pytest.mark.parametrize(
    "path",
    [
        *("https://example.com/x.mesh", "//example.com/x", "file:///etc/passwd", "/etc/passwd", "~/x.mesh"),
        *("C:/x.mesh", "..\\x.mesh", "", "a\\u{7}b"),
    ],
)
def test_a_path_that_is_not_relative_is_refused_at_its_place(path: str) -> None:
    quoted = path if "\\u" in path else path.replace("\\", "\\\\")

    diagnostic = only(load_texts({"a.mesh": f'use "{quoted}"'}))

    assert diagnostic.code == "MP007"
    assert diagnostic.primary is not None
    assert diagnostic.primary.start == 4


def test_a_path_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"repo/.git/HEAD": "", "repo/p/a.mesh": 'use "../../outside.mesh"', "outside.mesh": RULE})

    assert codes(load([tmp_path / "repo" / "p"])) == ["MP007"]


def test_a_path_through_a_link_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"repo/.git/HEAD": "", "repo/a.mesh": 'use "inner/x.mesh"', "outside/x.mesh": RULE})
    (tmp_path / "repo" / "inner").symlink_to("../outside")

    assert codes(load([tmp_path / "repo" / "a.mesh"])) == ["MP007"]


def test_without_a_repository_the_folder_is_the_boundary(tmp_path: Path) -> None:
    write(tmp_path, {"p/a.mesh": 'use "../b.mesh"', "b.mesh": RULE})

    assert codes(load([tmp_path / "p"], boundary=tmp_path / "p")) == ["MP007"]
    assert codes(load([tmp_path / "p"], boundary=tmp_path)) == []


def test_a_file_that_is_not_there_is_named_and_one_that_is_almost_there_is_offered(tmp_path: Path) -> None:
    write(tmp_path, {"a.mesh": 'use "common"\nuse "nothing.mesh"', "common.mesh": RULE})

    first, second = load([tmp_path / "a.mesh"]).diagnostics

    assert (first.code, second.code) == ("MP008", "MP008")
    assert first.help == "did you mean `common.mesh`?"
    assert "`nothing.mesh`" in second.message


def test_files_that_use_each_other_in_a_circle_are_shown_as_a_chain() -> None:
    texts = {
        "a.mesh": 'use "b.mesh"',
        "b.mesh": 'use "c.mesh"',
        "c.mesh": f'{RULE}use "a.mesh"',
        "d.mesh": 'use "d.mesh"',
    }

    first, second = load_texts(texts).diagnostics

    assert first.code == "MP009"
    assert "a.mesh → b.mesh → c.mesh → a.mesh" in first.message
    assert [label.span.file for label in first.labels] == ["c.mesh", "a.mesh", "b.mesh"]
    assert "d.mesh → d.mesh" in second.message


def test_a_chain_of_a_thousand_files_is_no_circle() -> None:
    texts = {f"{number}.mesh": f'use "{number + 1}.mesh"' for number in range(1000)} | {"1000.mesh": RULE}

    loaded = load_texts(texts)

    assert loaded.diagnostics == ()
    assert len(loaded.documents) == 1001


def test_a_file_is_bound_in_one_place() -> None:
    common = {"z.mesh": 'zone cde "cards"', "a.mesh": 'use "z.mesh" { cde = x }'}

    again = load_texts(common | {"b.mesh": 'use "z.mesh" { cde = x }'})
    other = load_texts(common | {"b.mesh": 'use "z.mesh" { cde = y }'})

    assert codes(again) == []
    assert codes(other) == ["MP010"]
    assert [label.span.file for label in other.diagnostics[0].labels] == ["b.mesh", "a.mesh"]


# ---- packs


def packs(name: str) -> str | None:
    return {"base": 'zone cde "cards"\ndeny x: anyone -> cde\n', "broken": "servce", "nested": 'use "x.mesh"'}.get(name)


def test_a_pack_comes_from_the_caller() -> None:
    loaded = load_texts({"a.mesh": 'use pack "base" { cde = a }'}, packs=packs)

    assert loaded.is_sound
    assert paths(loaded) == ["a.mesh", "pack/base.mesh"]
    assert loaded.packs == (("base", "pack/base.mesh"),)


def test_an_unknown_pack_is_a_finding() -> None:
    diagnostic = only(load_texts({"a.mesh": 'use pack "none"'}, packs=packs))

    assert (diagnostic.code, diagnostic.primary and diagnostic.primary.start) == ("MP011", 9)


def test_a_pack_uses_no_file_and_its_errors_are_shown_in_it() -> None:
    loaded = load_texts({"a.mesh": 'use pack "nested"\nuse pack "broken"', "x.mesh": RULE}, packs=packs)

    assert {(diagnostic.code, diagnostic.labels[0].span.file) for diagnostic in loaded.diagnostics} == {
        ("MP007", "pack/nested.mesh"),
        ("MP102", "pack/broken.mesh"),
    }


def test_every_finding_points_into_a_source_that_is_given(tmp_path: Path) -> None:
    write(tmp_path, {"a.mesh": 'use "b.mesh"\nservce', "b.mesh": b"\xff", "c.mesh": b"\0"})

    loaded = load([tmp_path, tmp_path / "d.mesh"])

    known = {source.path for source in loaded.sources}
    assert len(loaded.diagnostics) == 4
    assert {label.span.file for diagnostic in loaded.diagnostics for label in diagnostic.labels} <= known


def test_names_that_do_not_show_are_shown(tmp_path: Path) -> None:
    write(tmp_path, {"a\x1b[31m.mesh": "servce"})

    diagnostic = only(load([tmp_path]))

    assert diagnostic.primary is not None
    assert diagnostic.primary.file == "a\N{REPLACEMENT CHARACTER}[31m.mesh"


def test_a_path_that_is_no_path_is_a_finding() -> None:
    assert codes(load([Path("a\0b.mesh")])) == ["MP001"]
