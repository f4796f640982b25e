"""Settings and where each comes from: flags win over `MESHPROOF_*`, that over the nearest file, that over defaults.

The file is `meshproof.toml`, or the table `[tool.meshproof]` of `pyproject.toml`, in the folder of the policy or the
nearest one above it, up to the root of the repository. An unknown key is an error.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.compiler.config.keys import KEYS, Key, Settings
from meshproof.dsl.diagnostic import Diagnostic, Label, Severity
from meshproof.dsl.source import SourceFile, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE = "meshproof.toml"
PROJECT_FILE = "pyproject.toml"
ENVIRONMENT = "MESHPROOF_"
DEFAULT_ORIGIN = "default"
CODE = "MP020"
_TOML_PLACE = re.compile(r" \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings in force; `origins` says where each comes from, by key, in the order of `KEYS`."""

    settings: Settings
    origins: tuple[tuple[str, str], ...]


class InvalidConfiguration(Exception):  # noqa: N818  says what it is
    """A configuration file, variable or flag cannot be used; `source` is the file's text if it is in a file."""

    def __init__(self, diagnostic: Diagnostic, source: SourceFile | None = None) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.source = source


def configure(start: Path, flags: Mapping[str, object], environ: Mapping[str, str]) -> Configuration:
    """The settings for a policy in the folder `start`. `flags` are the given ones by key.

    Raises:
        InvalidConfiguration: a key is unknown, or a value is not one.
    """
    return _layered(_from_file(find_file(start)), _from_environment(environ), _from_flags(flags))


def without_surroundings(flags: Mapping[str, object]) -> Configuration:
    """The settings that flags and defaults give, whatever files and variables there are.

    Raises:
        InvalidConfiguration: a flag has a value that it cannot have.
    """
    return _layered(_from_flags(flags))


def _layered(*layers: Mapping[str, tuple[object, str]]) -> Configuration:
    values: dict[str, object] = {}
    origins = {key.name: DEFAULT_ORIGIN for key in KEYS}
    for layer in layers:
        for name, (value, origin) in layer.items():
            values[name] = value
            origins[name] = origin
    given = {key.field: values[key.name] for key in KEYS if key.name in values}
    return Configuration(Settings(**given), tuple(origins.items()))  # type: ignore[arg-type]  # each key parses to its field's type


def find_file(start: Path) -> Path | None:
    """The nearest configuration file at or above `start`, within the repository.

    Outside of a repository nothing above `start` is looked at, unless it lies in the working directory.
    """
    for folder in _folders(start.resolve()):
        if (folder / FILE).is_file():
            return folder / FILE
        project = folder / PROJECT_FILE
        if project.is_file() and "[tool.meshproof" in _read(project).text:
            return project
    return None


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=0.6)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence that offers the closest known word, or lists all of them."""
    names = sorted(known)
    near = closest(word, names)
    return f"did you mean `{near}`?" if near else f"there is {', '.join(f'`{name}`' for name in names)}"


def _folders(start: Path) -> list[Path]:
    above = [start, *start.parents]
    repository = next((folder for folder in above if (folder / ".git").exists()), None)
    if repository is None:
        here = Path.cwd()
        repository = here if here in above else start
    return above[: above.index(repository) + 1]


def _from_file(path: Path | None) -> dict[str, tuple[object, str]]:
    if path is None:
        return {}
    source = _read(path)
    table = _table(path, source)
    layer = {}
    for name, raw in table.items():
        key = _key(name)
        if key is None:
            message = f"unknown key `{name}` in the configuration"
            raise _invalid(message, did_you_mean(name, _names()), source, name)
        try:
            layer[name] = (key.parse(raw), f"{path.name}:{_line_of(source, name)}")
        except ValueError as error:
            raise _invalid(f"`{name}`: {error}", key.help, source, name) from None
    return layer


def _table(path: Path, source: SourceFile) -> Mapping[str, object]:
    try:
        document = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(error), source) from None
    if path.name != PROJECT_FILE:
        return document
    tool = document.get("tool", {})
    table = tool.get("meshproof", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise _invalid("`tool.meshproof` is not a table", "write `[tool.meshproof]`", source, "meshproof")
    return table


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[object, str]]:
    layer = {}
    _refuse_misspelt(environ)
    for key in KEYS:
        variable = variable_of(key)
        if variable in environ:
            try:
                layer[key.name] = (key.parse(environ[variable]), variable)
            except ValueError as error:
                raise _invalid(f"`{variable}`: {error}", key.help) from None
    return layer


def _refuse_misspelt(environ: Mapping[str, str]) -> None:
    """A variable of ours by its beginning and almost by its name is a mistake; others are not ours to judge."""
    known = {variable_of(key).removeprefix(ENVIRONMENT) for key in KEYS}
    for variable in sorted(environ):
        name = variable.removeprefix(ENVIRONMENT)
        near = closest(name.upper(), known) if name != variable and name not in known else None
        if near is not None:
            raise _invalid(f"unknown variable `{variable}`", f"did you mean `{ENVIRONMENT}{near}`?")


def variable_of(key: Key) -> str:
    """The environment variable of a key."""
    return ENVIRONMENT + key.name.replace("-", "_").upper()


def _from_flags(flags: Mapping[str, object]) -> dict[str, tuple[object, str]]:
    layer = {}
    for name, raw in flags.items():
        key = _key(name)
        if key is not None and raw is not None and raw != ():
            try:
                layer[name] = (key.parse(raw), f"--{name}")
            except ValueError as error:
                raise _invalid(f"`--{name}`: {error}", key.help) from None
    return layer


def _key(name: str) -> Key | None:
    return next((key for key in KEYS if key.name == name), None)


def _names() -> list[str]:
    return [key.name for key in KEYS]


def _read(path: Path) -> SourceFile:
    try:
        return SourceFile(path.name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid(f"`{path.name}` cannot be read: {error}", "a configuration is UTF-8 text") from None


def _line_of(source: SourceFile, name: str) -> int:
    return source.position(_place_of(source, name).start).line


def _place_of(source: SourceFile, name: str) -> Span:
    """Where a key stands in the text: tomllib keeps no places."""
    offset = 0
    for line in source.text.splitlines(keepends=True):
        bare = line.strip().strip("[]").lstrip('"')
        if bare.startswith(name) and not bare[len(name) : len(name) + 1].isalnum():
            start = offset + line.index(name)
            return Span(source.path, start, start + len(name))
        offset += len(line)
    return Span(source.path, 0, 0)


def _not_toml(said: str, source: SourceFile) -> InvalidConfiguration:
    """The place stands at the end of what tomllib says."""
    match = _TOML_PLACE.search(said)
    reason = said[: match.start()] if match else said
    at = len(source.text)
    if match and match[1]:
        at = sum(len(line) for line in source.text.splitlines(keepends=True)[: int(match[1]) - 1]) + int(match[2]) - 1
    message = f"the configuration is not TOML: {reason[:1].lower()}{reason[1:]}"
    labels = (Label(Span(source.path, at, at), is_primary=True),)
    advice = "text stands in quotes, lists in brackets: see https://toml.io"
    return InvalidConfiguration(Diagnostic(CODE, Severity.ERROR, message, labels, help=advice), source)


def _invalid(
    message: str, advice: str, source: SourceFile | None = None, name: str | None = None
) -> InvalidConfiguration:
    labels: tuple[Label, ...] = ()
    if source is not None:
        span = _place_of(source, name) if name else Span(source.path, 0, 0)
        labels = (Label(span, is_primary=True),)
    return InvalidConfiguration(Diagnostic(CODE, Severity.ERROR, message, labels, help=advice), source)
