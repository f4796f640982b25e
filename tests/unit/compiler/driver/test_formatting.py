"""Files in the one layout; the commands that show it are tested beside the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.driver.formatting import format_files, format_text

LIMIT = 1000
LOOSE = b"service   a {}\n# note\n"
TIDY = "service a {}\n# note\n"


def test_a_text_is_laid_out_and_whether_that_changes_it_is_told() -> None:
    loose, tidy = format_text(LOOSE, LIMIT), format_text(TIDY.encode(), LIMIT)

    assert (loose.after, loose.is_changed) == (TIDY, True)
    assert (tidy.after, tidy.is_changed) == (TIDY, False)


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf" + TIDY.encode(), TIDY.replace("\n", "\r\n").encode()])
def test_a_mark_in_front_and_other_line_ends_are_changes(before: bytes) -> None:
    formatting = format_text(before, LIMIT)

    assert (formatting.after, formatting.is_changed) == (TIDY, True)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"servce a", "MP102"),
        (b"\xff\xfem\x00", "MP002"),
        (b"caf\xe9", "MP002"),
        (b"a\x00b", "MP003"),
        (b"#" * (LIMIT + 1), "MP004"),
    ],
)
def test_what_is_wrong_is_told_and_there_is_nothing_to_write(data: bytes, code: str) -> None:
    formatting = format_text(data, LIMIT)

    assert (formatting.after, formatting.is_changed) == (None, False)
    assert code in {diagnostic.code for diagnostic in formatting.diagnostics}


@pytest.mark.parametrize("wrong", ["service b {}\n# note\n", "service a {}\n", "servce\n# note\n"])
def test_a_formatter_that_changed_what_a_policy_says_would_be_stopped(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meshproof.compiler.driver.formatting.format_document", lambda *_: wrong)

    with pytest.raises(RuntimeError, match="would change what it says"):
        format_text(LOOSE, LIMIT)


@given(
    st.lists(
        st.tuples(
            st.text(' #\tabZ-\xe9{}"\\', max_size=8), st.sampled_from(["\n", "\r\n", "\n\n", "\nservice a {}\n"])
        ),
        max_size=6,
    )
)
def test_comments_of_any_kind_are_kept(lines: list[tuple[str, str]]) -> None:
    text = "".join(f"#{comment}{end}" for comment, end in lines)

    once = format_text(text.encode(), LIMIT)

    assert once.after is not None
    assert [line.lstrip("# \t") for line in once.after.splitlines() if line.startswith("#")] == [
        comment.lstrip("# \t").rstrip() for comment, _ in lines
    ]
    assert not format_text(once.after.encode(), LIMIT).is_changed


def test_files_are_named_as_they_were_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p" / "q").mkdir(parents=True)
    (tmp_path / "p" / ".hidden").mkdir()
    for name in ("p/b.mesh", "p/q/a.mesh", "p/.hidden/c.mesh", "p/notes.md"):
        (tmp_path / name).write_bytes(LOOSE)
    (tmp_path / "p" / "link.mesh").symlink_to("b.mesh")
    (tmp_path / "p" / "loop").symlink_to(".")
    monkeypatch.chdir(tmp_path)

    found = [formatting.source.path for formatting in format_files([Path("p"), Path("p/q/a.mesh")], LIMIT)]

    assert found == ["p/b.mesh", "p/q/a.mesh"]


def test_a_link_that_leads_out_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "outside.mesh").write_bytes(LOOSE)
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / ".git").mkdir()
    (tmp_path / "p" / "link.mesh").symlink_to("../outside.mesh")

    (formatting,) = format_files([tmp_path / "p"], LIMIT)

    assert [diagnostic.code for diagnostic in formatting.diagnostics] == ["MP007"]
    assert formatting.after is None


def test_a_path_that_cannot_be_one_is_left_alone() -> None:
    (formatting,) = format_files([Path("a\0b")], LIMIT)

    assert [diagnostic.message for diagnostic in formatting.diagnostics] == [
        "`a\N{REPLACEMENT CHARACTER}b` cannot be read: it is no path"
    ]
