"""Where settings come from: flags over variables over the nearest file over defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.compiler.config.load import InvalidConfiguration, closest, configure, find_file
from meshproof.dsl.diagnostic import Severity


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A folder in a repository that has no configuration."""
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "policies" / "shop"
    folder.mkdir(parents=True)
    return folder


def origin(configuration_origins: tuple[tuple[str, str], ...], key: str) -> str:
    return dict(configuration_origins)[key]


def test_without_anything_the_defaults_hold(policy: Path) -> None:
    configuration = configure(policy, {}, {})

    assert configuration.settings.fail_level is Severity.ERROR
    assert set(dict(configuration.origins).values()) == {"default"}


def test_flags_win_over_variables_and_those_over_the_file(policy: Path) -> None:
    (policy / "meshproof.toml").write_text('jobs = 2\ntimeout = "1s"\nstrict = true\n')
    variables = {"MESHPROOF_JOBS": "3", "MESHPROOF_TIMEOUT": "2s"}

    configuration = configure(policy, {"jobs": "4", "timeout": None, "select": ()}, variables)

    assert (configuration.settings.jobs, origin(configuration.origins, "jobs")) == (4, "--jobs")
    assert (configuration.settings.timeout, origin(configuration.origins, "timeout")) == (2.0, "MESHPROOF_TIMEOUT")
    assert (configuration.settings.strict, origin(configuration.origins, "strict")) == (True, "meshproof.toml:3")


def test_the_nearest_file_is_taken(policy: Path) -> None:
    (policy.parent.parent / "meshproof.toml").write_text("jobs = 2\n")
    (policy.parent / "meshproof.toml").write_text("jobs = 3\n")

    assert configure(policy, {}, {}).settings.jobs == 3


def test_a_table_in_pyproject_counts_and_a_pyproject_without_one_does_not(policy: Path) -> None:
    (policy / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (policy.parent / "pyproject.toml").write_text("[tool.other]\na = 1\n\n[tool.meshproof]\njobs = 5\n")

    configuration = configure(policy, {}, {})

    assert (configuration.settings.jobs, origin(configuration.origins, "jobs")) == (5, "pyproject.toml:5")


def test_nothing_above_the_repository_is_read(policy: Path) -> None:
    repository = policy.parent
    (repository / ".git").mkdir()
    (repository.parent / "meshproof.toml").write_text("jobs = 2\n")

    assert find_file(policy) is None


def test_outside_of_a_repository_only_the_policys_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "a" / "b", tmp_path / "c"
    folder.mkdir(parents=True)
    elsewhere.mkdir()
    (tmp_path / "a" / "meshproof.toml").write_text("jobs = 2\n")
    monkeypatch.chdir(elsewhere)

    assert find_file(folder) is None

    monkeypatch.chdir(tmp_path)

    assert find_file(folder) == tmp_path / "a" / "meshproof.toml"


def test_an_unknown_key_is_an_error_at_its_place_that_offers_the_right_one(policy: Path) -> None:
    (policy / "meshproof.toml").write_text("# ours\nfail-levle = 'warning'\n")

    with pytest.raises(InvalidConfiguration) as refusal:
        configure(policy, {}, {})

    diagnostic, source = refusal.value.diagnostic, refusal.value.source
    assert diagnostic.message == "unknown key `fail-levle` in the configuration"
    assert diagnostic.help == "did you mean `fail-level`?"
    assert diagnostic.primary is not None
    assert source is not None
    assert source.position(diagnostic.primary.start).line == 2


@pytest.mark.parametrize("name", ["MESHPROOF_STRCIT", "MESHPROOF_FAILLEVEL", "MESHPROOF_strict"])
def test_a_misspelt_variable_is_an_error_that_offers_the_right_one(policy: Path, name: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        configure(policy, {}, {name: "1"})

    assert caught.value.diagnostic.message == f"unknown variable `{name}`"
    assert str(caught.value.diagnostic.help).startswith("did you mean `MESHPROOF_")


def test_what_others_call_alike_is_theirs(policy: Path) -> None:
    others = {"MESHPROOF_VERSION": "1", "MESHPROOF_CORPUS": "x", "MESHPROOF_SAMPLES": "ci", "STRICT": "1"}

    assert configure(policy, {}, others) == configure(policy, {}, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jobs = 0\n", "`jobs`: `0` is less than 1"),
        ("jobs = \n", "the configuration is not TOML: invalid value"),
    ],
)
def test_a_bad_file_is_an_error(policy: Path, text: str, message: str) -> None:
    (policy / "meshproof.toml").write_text(text)

    with pytest.raises(InvalidConfiguration) as refusal:
        configure(policy, {}, {})

    assert refusal.value.diagnostic.message == message
    assert refusal.value.source is not None


@pytest.mark.parametrize(
    ("text", "place"),
    [("jobs = \n", (1, 8)), ("# ours\njobs = [1,\n", (3, 1)), ("a = 1\na = 2\n", (2, 6)), ("x", (1, 2))],
)
def test_what_is_no_toml_is_pointed_at(policy: Path, text: str, place: tuple[int, int]) -> None:
    (policy / "meshproof.toml").write_text(text)

    with pytest.raises(InvalidConfiguration) as refusal:
        configure(policy, {}, {})

    at, source = refusal.value.diagnostic.primary, refusal.value.source
    assert at is not None
    assert source is not None
    position = source.position(at.start)
    assert (position.line, position.column) == place


def test_a_file_that_is_not_text_is_an_error(policy: Path) -> None:
    (policy / "meshproof.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(InvalidConfiguration, match=r"`meshproof.toml` cannot be read"):
        configure(policy, {}, {})


def test_a_table_of_another_kind_is_an_error(policy: Path) -> None:
    (policy / "pyproject.toml").write_text("[tool]\nmeshproof = 1\n# [tool.meshproof]\n")

    with pytest.raises(InvalidConfiguration, match=r"`tool\.meshproof` is not a table"):
        configure(policy, {}, {})


def test_a_bad_variable_and_a_bad_flag_are_errors_that_name_them(policy: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="`MESHPROOF_AT`: `soon` is no day"):
        configure(policy, {}, {"MESHPROOF_AT": "soon"})
    with pytest.raises(InvalidConfiguration, match="`--at`: `soon` is no day"):
        configure(policy, {"at": "soon"}, {})


@pytest.mark.parametrize(("word", "near"), [("chek", "check"), ("xyzzy", None)])
def test_the_closest_word_is_offered(word: str, near: str | None) -> None:
    assert closest(word, ("check", "prove")) == near
