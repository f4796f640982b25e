"""Loading a policy: what was named, then whatever that uses, each file once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from meshproof.dsl.ast.document import UseFile, UsePack
from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.loader import files, uses
from meshproof.dsl.loader.loaded import DEFAULT_LIMITS, Limits, Loaded, LoadedDocument, PackReader, no_packs
from meshproof.dsl.loader.text import Text, decode, policy_too_large, too_large
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile

STDIN = "<stdin>"


def load(
    paths: Sequence[Path],
    *,
    stdin: str | None = None,
    packs: PackReader = no_packs,
    limits: Limits = DEFAULT_LIMITS,
    boundary: Path | None = None,
) -> Loaded:
    """The policy of files and folders (all `.mesh` files below, hidden ones left out), and of a text from stdin.

    `boundary` is the folder that no used file and no link may lead out of: the repository if there is one, else the
    root of the policy.
    """
    tree = files.tree_of(tuple(paths), boundary)
    loading = _Loading(_Disk(tree), packs, limits)
    for path in paths:
        loading.add_path(path)
    if stdin is not None:
        loading.add_text(STDIN, _bytes_of(stdin))
    loading.follow_uses()
    return loading.loaded(tree.root)


def _bytes_of(text: str) -> bytes:
    """What stood on stdin before it was decoded: bytes that are no UTF-8 were kept as surrogates."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def load_texts(texts: Mapping[str, str], *, packs: PackReader = no_packs, limits: Limits = DEFAULT_LIMITS) -> Loaded:
    """The policy of texts by their paths, which may use each other."""
    loading = _Loading(_Memory(texts), packs, limits)
    for path in sorted(texts):
        loading.add_text(path, texts[path].encode("utf-8", "surrogatepass"))
    loading.follow_uses()
    return loading.loaded(None)


class _Disk:
    """Used files from the disk."""

    def __init__(self, tree: files.Tree) -> None:
        self.tree = tree

    def find(self, use: UseFile, shown: str) -> Path | Diagnostic:
        """The used file, or why there is none."""
        path = self.tree.root / shown
        try:
            if not self.tree.holds(path):
                return uses.leads_outside(use)
            if path.is_file():
                return path
            similar = use.path.value + files.SUFFIX
            if path.is_dir() and not path.with_name(path.name + files.SUFFIX).is_file():
                return uses.names_folder(use)
            return uses.missing(use, similar if path.with_name(path.name + files.SUFFIX).is_file() else None)
        except (OSError, ValueError):
            return uses.missing(use, None)


class _Memory:
    """Texts from memory are there already, or not at all."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def find(self, use: UseFile, shown: str) -> Path | Diagnostic:
        """Why there is no used file."""
        if shown.startswith("../"):
            return uses.leads_outside(use)
        return uses.missing(use, None)


class _Loading:
    """The files that were read so far."""

    def __init__(self, place: _Disk | _Memory, packs: PackReader, limits: Limits) -> None:
        self._place = place
        self._read_pack = packs
        self._limits = limits
        self._bytes = 0
        self._unparsed: list[tuple[str, bytes]] = []
        self._sources: dict[str, SourceFile] = {}
        self._documents: dict[str, LoadedDocument] = {}
        self._packs: dict[str, str] = {}
        self._real: dict[Path, str] = {}
        self._diagnostics: list[Diagnostic] = []

    def loaded(self, root: Path | None) -> Loaded:
        """What was read, in the order of the paths."""
        sources = {diagnostic.primary.file for diagnostic in self._diagnostics if diagnostic.primary} - {*self._sources}
        shown = {**self._sources, **{file: SourceFile(file, "") for file in sources}}
        return Loaded(
            root,
            tuple(self._documents[file] for file in sorted(self._documents)),
            tuple(shown[file] for file in sorted(shown)),
            tuple(sorted(self._packs.items())),
            tuple(dict.fromkeys(self._diagnostics)),
        )

    def add_path(self, path: Path) -> None:
        """Read a file, or all policy files of a folder."""
        assert isinstance(self._place, _Disk)
        tree = self._place.tree
        try:
            is_folder = path.is_dir()
        except (OSError, ValueError) as error:
            self._diagnostics.append(files.unreadable(str(path), error))
            return
        if not is_folder:
            self._add_file(path)
            return
        entries = list(files.policy_files(path, tree))
        if not entries:
            self._diagnostics.append(files.nothing_in(tree.shown(path)))
        for entry in entries:
            if isinstance(entry, Diagnostic):
                self._diagnostics.append(entry)
            else:
                self._add_file(entry)

    def _add_file(self, path: Path) -> str:
        """Read a file that was not read yet; how it is shown."""
        assert isinstance(self._place, _Disk)
        shown = self._place.tree.shown(Path(os.path.abspath(path)))  # noqa: PTH100 - a link that was named stays
        try:
            real = files.real_path(path)
            if real in self._real:
                return self._real[real]
            self._real[real] = shown
            data = files.read(path, self._limits.max_file_bytes)
        except files.TooLargeError:
            self._diagnostics.append(too_large(shown, self._limits.max_file_bytes))
        except (OSError, ValueError) as error:
            self._diagnostics.append(files.unreadable(shown, error, path))
        else:
            self.add_text(shown, data)
        return shown

    def add_text(self, shown: str, data: bytes) -> None:
        """Take the bytes of a file. They are parsed when all that was named is known not to be too much."""
        if len(data) > self._limits.max_file_bytes:
            self._diagnostics.append(too_large(shown, self._limits.max_file_bytes))
            return
        was_too_large = self._bytes > self._limits.max_policy_bytes
        self._bytes += len(data)
        if was_too_large:
            return
        if self._bytes > self._limits.max_policy_bytes:
            self._diagnostics.append(policy_too_large(shown, self._limits.max_policy_bytes))
            self._unparsed.clear()
            return
        self._unparsed.append((shown, data))

    def _parse_all(self) -> None:
        for shown, data in self._unparsed:
            self._parse(decode(shown, data))
        self._unparsed.clear()

    def _parse(self, text: Text) -> None:
        source = text.source
        self._sources[source.path] = source
        if text.problem is not None:
            self._diagnostics.append(text.problem)
            return
        parsed = parse(source, max_depth=self._limits.max_depth)
        self._diagnostics.extend(parsed.diagnostics)
        self._documents[source.path] = LoadedDocument(source, parsed.document)

    # ---- use

    def follow_uses(self) -> None:
        """Parse the files, read what they use, and what that uses; find circles."""
        self._parse_all()
        pending = sorted(self._documents)
        edges: dict[str, list[tuple[UseFile | UsePack, str]]] = {}
        bound: dict[str, UseFile | UsePack] = {}
        while pending:
            file = pending.pop(0)
            if file in edges:
                continue
            edges[file] = list(self._used_by(file))
            for use, used in edges[file]:
                first = bound.setdefault(used, use)
                if first is not use and first.bindings != use.bindings:
                    self._diagnostics.append(uses.bound_again(first, use))
                pending.append(used)
        self._diagnostics.extend(_circles(edges))

    def _used_by(self, file: str) -> Iterable[tuple[UseFile | UsePack, str]]:
        for statement in self._documents[file].document.statements:
            if isinstance(statement, UseFile):
                used = self._use_file(statement, file)
            elif isinstance(statement, UsePack):
                used = self._use_pack(statement)
            else:
                continue
            if used in self._documents:
                yield statement, used

    def _use_pack(self, use: UsePack) -> str:
        name = use.pack.value
        shown = uses.pack_file(name)
        if name not in self._packs:
            text = self._read_pack(name)
            if text is None:
                self._diagnostics.append(uses.unknown_pack(use))
                return ""
            self._packs[name] = shown
            self._parse(Text(SourceFile(shown, text)))
        return shown

    def _use_file(self, use: UseFile, file: str) -> str:
        problem = uses.refused(use)
        shown = uses.target(use, file)
        if problem is None and file in self._packs.values():
            problem = uses.leads_outside(use)
        if problem is None and shown not in self._sources:
            path = self._place.find(use, shown)
            if isinstance(path, Path):
                used = self._add_file(path)
                self._parse_all()
                return used
            problem = path
        if problem is not None:
            self._diagnostics.append(problem)
            return ""
        return shown


def _circles(edges: Mapping[str, list[tuple[UseFile | UsePack, str]]]) -> Iterable[Diagnostic]:
    """A finding for each `use` that closes a circle."""
    done: set[str] = set()
    for start in sorted(edges):
        chain: list[tuple[str, int]] = [] if start in done else [(start, 0)]
        while chain:
            file, position = chain.pop()
            if position == len(edges.get(file, ())):
                done.add(file)
                continue
            chain.append((file, position + 1))
            _, used = edges[file][position]
            on_chain = [name for name, _ in chain]
            if used in on_chain:
                circle = chain[on_chain.index(used) :]
                yield uses.in_a_circle(tuple((name, edges[name][after - 1][0]) for name, after in circle))
            elif used not in done:
                chain.append((used, 0))
