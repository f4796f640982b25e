"""Older policies are refused where the settings ask for it, by numbers alone, across restarts."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from tests.strategies.building import mesh

from meshproof.compiler.ir.bundle import Bundle, dump
from meshproof.runtime.bundle import Loaded, load_bundle
from meshproof.runtime.revisions import RevisionError, Revisions
from meshproof.runtime.settings_run import PolicyFiles


@cache
def _loaded(number: int | None, digest: str = "a") -> Loaded:
    return load_bundle(dump(Bundle(digest, "known", mesh(), (), number)))


def _files(folder: Path, minimum: int = 0) -> PolicyFiles:
    return PolicyFiles(folder / "policy.json", (folder / "a.pub",), minimum, folder / "revision")


@contextmanager
def _process(files: PolicyFiles) -> Iterator[Revisions]:
    """As a process has it from its start to its end."""
    found = Revisions(files)
    found.hold()
    yield found
    found.release()


def _refusal(revisions: Revisions, loaded: Loaded) -> str:
    """Why it is not taken, which a look says as well."""
    said = set()
    for judge in (revisions.check, revisions.take):
        with pytest.raises(RevisionError) as refused:
            judge(loaded)
        said.add(str(refused.value))
    (why,) = said
    return why


def test_without_settings_every_policy_is_taken(tmp_path: Path) -> None:
    revisions = Revisions(PolicyFiles(tmp_path / "policy.json"))
    revisions.hold()
    for number in (7, 3, None):
        revisions.take(_loaded(number))
    revisions.release()
    assert list(tmp_path.iterdir()) == []


def test_a_look_finds_a_file_that_could_not_be_written(tmp_path: Path) -> None:
    files = replace(_files(tmp_path), revision_file=tmp_path / "none" / "revision")
    with pytest.raises(RevisionError, match=r"none/revision` cannot be written: No such file or directory"):
        Revisions(files).check(_loaded(1))
    (tmp_path / "none").mkdir()
    Revisions(files).check(_loaded(1))
    assert list((tmp_path / "none").iterdir()) == []
    (tmp_path / "none" / "revision.lock").mkdir()
    with pytest.raises(RevisionError, match="Is a directory"):
        Revisions(files).check(_loaded(1))


def test_a_least_revision_needs_no_file() -> None:
    revisions = Revisions(PolicyFiles(Path("policy.json"), (), 5))
    revisions.hold()
    assert "its revision 4 is less than `minimum_revision`, which is 5" in _refusal(revisions, _loaded(4))
    assert "it has no revision" in _refusal(revisions, _loaded(None))
    revisions.take(_loaded(6))
    assert "5 is older than 6, which was taken" in _refusal(revisions, _loaded(5))  # as long as it runs
    Revisions(PolicyFiles(Path("policy.json"), (), 5)).take(_loaded(5))


def test_no_older_one_is_taken_before_and_after_a_restart(tmp_path: Path) -> None:
    with _process(_files(tmp_path)) as first:
        first.take(_loaded(3))
        first.take(_loaded(7))
        assert "its revision 6 is older than 7, which was taken; to undo a policy" in _refusal(first, _loaded(6))
    assert (tmp_path / "revision").stat().st_mode & 0o777 == 0o600
    with _process(_files(tmp_path)) as second:
        assert "is older than 7" in _refusal(second, _loaded(6))
        assert "it has no revision" in _refusal(second, _loaded(None))
        second.take(_loaded(7))
        second.take(_loaded(8))


def test_one_number_is_one_bundle(tmp_path: Path) -> None:
    with _process(_files(tmp_path)) as first:
        first.take(_loaded(7))
        assert "its revision 7 was another bundle before" in _refusal(first, _loaded(7, "b"))
    with _process(_files(tmp_path)) as second:
        assert "its revision 7 was another bundle before" in _refusal(second, _loaded(7, "b"))


def test_a_look_remembers_nothing_and_needs_no_lock(tmp_path: Path) -> None:
    with _process(_files(tmp_path)) as running:
        running.take(_loaded(3))
        looking = Revisions(_files(tmp_path))
        looking.check(_loaded(9))
        with pytest.raises(RevisionError, match="is older than 3"):
            looking.check(_loaded(2))
        running.take(_loaded(4))


def test_a_process_has_its_file_alone(tmp_path: Path) -> None:
    why = "is another process's; each has a file of its own"
    with _process(_files(tmp_path)), pytest.raises(RevisionError, match=why):
        Revisions(_files(tmp_path)).hold()
    with _process(_files(tmp_path)) as next_one:
        next_one.hold()  # it has it already


def test_a_file_that_jumps_back_or_goes_away_is_not_believed_over_what_is_known(tmp_path: Path) -> None:
    file = tmp_path / "revision"
    with _process(_files(tmp_path)) as revisions:
        revisions.take(_loaded(3))
        before = file.read_bytes()
        revisions.take(_loaded(7))
        after = file.read_bytes()
        file.write_bytes(before)
        assert "is older than 7" in _refusal(revisions, _loaded(6))
        revisions.take(_loaded(7))
        assert file.read_bytes() == after  # it is mended when it can be
        file.unlink()
        assert "is older than 7" in _refusal(revisions, _loaded(6))
        revisions.take(_loaded(7))
        assert file.read_bytes() == after
        os.utime(file, (0, 0))  # times of files and clocks say nothing here
        assert "is older than 7" in _refusal(revisions, _loaded(6))


WHOLE = b'{"digest":"%b","revision":7}' % (b"a" * 64)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        WHOLE[:-1],
        WHOLE.replace(b"7", b"0"),
        WHOLE.replace(b"7", b"-1"),
        WHOLE.replace(b"7", b"true"),
        WHOLE.replace(b"7", b"7.0"),
        WHOLE.replace(b"7", b'"7"'),
        WHOLE.replace(b"7", b"9007199254740992"),
        WHOLE.replace(b"aa", b"AA", 1),
        WHOLE.replace(b"7}", b'7,"more":1}'),
        b"[" * 4000,
        b"\xff",
        WHOLE + b" " * 5000,
    ],
)
def test_a_file_that_is_not_as_it_was_written_opens_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "revision").write_bytes(content)
    with _process(_files(tmp_path)) as revisions:
        if content.startswith(WHOLE):  # blanks are none of its meaning
            assert "is older than 7" in _refusal(revisions, _loaded(6))
            return
        assert "is not as it was written; remove it" in _refusal(revisions, _loaded(9))
    assert (tmp_path / "revision").read_bytes() == content


def test_links_and_folders_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(WHOLE)
    (tmp_path / "revision").symlink_to(tmp_path / "other")
    with _process(_files(tmp_path)) as revisions:
        assert "cannot be read" in _refusal(revisions, _loaded(9))
    (tmp_path / "revision").unlink()
    (tmp_path / "revision").mkdir()
    with _process(_files(tmp_path)) as revisions:
        assert "cannot be read" in _refusal(revisions, _loaded(9))
    with pytest.raises(RevisionError, match=r"revision.lock` cannot be opened: No such file"):
        Revisions(_files(tmp_path / "none")).hold()


def test_what_cannot_be_remembered_is_not_taken(tmp_path: Path) -> None:
    """As on a disk that is full: a file may not grow, and what was there stays."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with _process(_files(tmp_path)) as revisions:
        revisions.take(_loaded(3))
        before = (tmp_path / "revision").read_bytes()
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            with pytest.raises(RevisionError, match=r"revision 7 would be forgotten: .* cannot be written: "):
                revisions.take(_loaded(7))
            revisions.take(_loaded(3))  # what stands there already needs no room
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, ignored)
        assert sorted(one.name for one in tmp_path.iterdir()) == ["revision", "revision.lock"]
        assert (tmp_path / "revision").read_bytes() == before
        revisions.take(_loaded(4))  # it was never taken, so it makes nothing older
        revisions.take(_loaded(7))


def test_a_digest_is_that_of_the_bundle_and_not_of_its_policy() -> None:
    assert _loaded(7).digest != _loaded(8).digest
    assert replace(_loaded(7).bundle, revision=8) == _loaded(8).bundle
