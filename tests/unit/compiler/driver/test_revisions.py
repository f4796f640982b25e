"""Policies out of git: which revision and place a name means, what is laid down of it, and what no name can do."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pytest

from meshproof.compiler.driver.revisions import Revision, RevisionError, find_revision, laid_down, path_named
from meshproof.dsl.loader import Limits

LIMITS = Limits()


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two revisions of a policy, beside other files."""
    top = tmp_path / "work"
    (top / "policy/inner").mkdir(parents=True)
    git(top, "init", "-q")
    files = {
        "policy/a.mesh": "one",
        "policy/inner/b.mesh": "two",
        "policy/notes.txt": "no policy",
        "policy/objects.yaml": "kind: x",
        "shared/c.mesh": "three",
        "shared/elsewhere.yaml": "kind: y",
    }
    for name, text in files.items():
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).write_text(text)
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "one")
    (top / "policy/a.mesh").write_text("changed")
    git(top, "commit", "-q", "-a", "-m", "two")
    return top


def found_in(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


@pytest.mark.parametrize(
    ("text", "other", "inside"),
    [
        ("HEAD~1:policy", "x", "policy"),
        ("git:HEAD~1:policy", "x", "policy"),
        ("HEAD~1:policy/a.mesh", "x", "policy/a.mesh"),
        ("HEAD~1:./a.mesh", "x", "policy/a.mesh"),
        ("HEAD~1:../shared", "x", "shared"),
        ("HEAD~1:", "x", "."),
        ("HEAD~1", "x", "policy"),
        ("HEAD~1", "git:HEAD:shared", "shared"),
        ("HEAD~1", "inner", "policy/inner"),
    ],
)
def test_a_name_means_a_commit_and_a_place(
    repository: Path, monkeypatch: pytest.MonkeyPatch, text: str, other: str, inside: str
) -> None:
    monkeypatch.chdir(repository / "policy")
    found = find_revision(text, Path.cwd(), other)

    assert found.commit == git(repository, "rev-parse", "HEAD~1")
    assert found.inside == PurePosixPath(inside)
    assert found.name == "HEAD~1"


def test_a_path_that_is_there_wins_unless_a_revision_is_forced(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    git(repository, "branch", "policy")

    assert path_named("policy") == Path("policy")
    assert path_named("git:policy") is None
    assert path_named("HEAD") is None
    assert path_named("x" * 5000) is None
    assert path_named("\0") is None


def test_what_may_hold_a_policy_is_laid_down_as_it_was(repository: Path) -> None:
    revision = find_revision("HEAD~1:policy", repository, "x")
    with laid_down(revision, LIMITS) as place:
        root = place.parent
        assert found_in(root) == {
            "policy/a.mesh": "one",
            "policy/inner/b.mesh": "two",
            "policy/objects.yaml": "kind: x",
            "shared/c.mesh": "three",  # a file there may be used
        }
        assert (root / ".git").is_dir()
    assert not root.exists()
    assert (repository / "policy/a.mesh").read_text() == "changed"


def test_a_file_of_any_name_can_be_meant(repository: Path) -> None:
    with laid_down(find_revision("HEAD:policy/notes.txt", repository, "x"), LIMITS) as place:
        assert place.read_text() == "no policy"


def test_of_a_large_file_no_more_is_read_than_tells_that_it_is(repository: Path) -> None:
    (repository / "policy/large.mesh").write_text("x" * 100_000)
    (repository / "policy/zeta.mesh").write_text("behind it")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "large")

    with laid_down(find_revision("HEAD:policy", repository, "x"), Limits(max_file_bytes=10)) as place:
        assert (place / "large.mesh").stat().st_size == 11
        assert (place / "zeta.mesh").read_text() == "behind it"


@pytest.mark.parametrize(
    "name",
    [
        "--output=/tmp/x",
        "--upload-pack=touch x",
        "-c",
        "git:--all",
        "",
        "git:",
        "HEAD;id",
        "$(id)",
        "HEAD\n--all",
        "no-such",
        "HEAD^{tree}",
    ],
)
def test_a_name_that_is_no_commit_is_refused_and_does_nothing(repository: Path, name: str) -> None:
    before = sorted(repository.iterdir())

    with pytest.raises(RevisionError, match="no revision of git"):
        find_revision(name, repository, "x")
    assert sorted(repository.iterdir()) == before


@pytest.mark.parametrize("name", ["HEAD:/etc", "HEAD:policy/../../x", "HEAD:../.."])
def test_a_place_outside_of_the_repository_is_refused(repository: Path, name: str) -> None:
    with pytest.raises(RevisionError, match=r"out of the repository|not in the repository"):
        find_revision(name, repository, "x")


def test_a_place_that_was_not_there_is_said(repository: Path) -> None:
    revision = find_revision("HEAD:nowhere", repository, "x")

    with pytest.raises(RevisionError, match="`HEAD` has no policy at `nowhere`"), laid_down(revision, LIMITS):
        pass


def test_without_a_repository_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(RevisionError, match="`HEAD` is no file or folder, and no revision: not a git repository"):
        find_revision("HEAD", tmp_path, "x")


def test_without_git_it_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(RevisionError, match="`git` is not installed"):
        find_revision("HEAD", repository, "x")


def test_links_stay_in_the_revision(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.mesh").write_text("secret")
    links = {
        "policy/good.mesh": "../shared/c.mesh",
        "policy/out.mesh": "../../secret.mesh",
        "policy/absolute.mesh": str(tmp_path / "secret.mesh"),
        "policy/folder": "../shared",
        "policy/sly.mesh": "folder/../../../secret.mesh",
    }
    for name, target in links.items():
        (repository / name).symlink_to(target)
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "links")

    with laid_down(find_revision("HEAD:policy", repository, "x"), LIMITS) as place:
        assert (place / "good.mesh").read_text() == "three"
        assert (place / "folder/c.mesh").read_text() == "three"
        assert not any((place / name).is_symlink() for name in ("out.mesh", "absolute.mesh", "sly.mesh"))


def test_a_tree_that_git_itself_would_not_write_leads_nowhere(repository: Path) -> None:
    """A tree can be made by hand with any names in it."""
    blob = git(repository, "rev-parse", "HEAD:policy/a.mesh")
    entry = b"100644 ..\0" + bytes.fromhex(blob)
    hook = b"100644 .GIT\0" + bytes.fromhex(blob)
    tree = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
        cwd=repository,
        input=entry + hook,
        check=True,
        capture_output=True,
    )
    revision = Revision("x", tree.stdout.decode().strip(), repository, PurePosixPath("."))

    with laid_down(revision, LIMITS) as place:
        assert found_in(place) == {}
