"""From items to lines: what goes on one line, what is aligned, and where comments and blank lines stand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from meshproof.dsl.ast.document import Comment
from meshproof.dsl.format.align import align
from meshproof.dsl.format.item import INDENT, WIDTH, Block, Item, Region, fixed, indented

MAX_INLINE = 2
"""How many entries of a block that nobody has laid out yet stand on one line."""


@dataclass(slots=True)
class _Line:
    """One item as laid out: a row of cells that may be aligned, what stands on lines below it, the comment after it."""

    row: tuple[str, ...] = ()
    below: str = ""
    kind: str = ""
    aligned: int = 0
    comment: str = ""


class Layout:
    """Lays out the items of one file. Without a source there are no comments, and blank lines go by kinds."""

    def __init__(self, text: str | None, comments: Sequence[Comment]) -> None:
        self._text = text
        self._comments = [] if text is None else sorted(comments, key=lambda comment: comment.span.start)
        self._is_breaking = False
        self._starts = [comment.span.start for comment in self._comments]

    # ---- the source

    def _between(self, region: Region) -> list[Comment]:
        return self._comments[bisect_left(self._starts, region[0]) : bisect_left(self._starts, region[1])]

    def _line_ends(self, start: int, end: int) -> int:
        return 0 if self._text is None else self._text.count("\n", start, end)

    def _is_open(self, region: Region, items: Sequence[Item]) -> bool:
        """Whether there are comments in a list, or it was begun on a line of its own."""
        if self._between(region):
            return True
        return bool(items) and self._line_ends(region[0], _ordered(items)[0].place[0]) > 0

    # ---- text

    def statements(self, items: Sequence[Item], end: int) -> str:
        """A whole file."""
        lines = self._lines(items, (0, end), depth=0)
        return "".join(f"{line}\n" for line in lines)

    def listing(self, brackets: str, items: Sequence[Item], region: Region) -> str:
        """A list with commas in brackets: on one line, or one member a line."""
        blank = " " if brackets == "{}" else ""
        flat = brackets[0] + blank + ", ".join(" ".join(item.cells()) for item in items) + blank + brackets[1]
        is_long = self._is_breaking and len(items) > 1 and len(flat) > WIDTH // 3
        if not (is_long or "\n" in flat or self._is_open(region, items)):
            return flat
        head, inner = self._head_comment(region, items)
        lines = self._lines(items, inner, depth=1, separator=",")
        return "\n".join([brackets[0] + head, *lines, brackets[1]])

    def _head_comment(self, region: Region, items: Sequence[Item]) -> tuple[str, Region]:
        """The comment on the line of the opening bracket, and the region without it."""
        first = self._between(region)[:1]
        if not first or self._line_ends(region[0], first[0].span.start):
            return "", region
        if items and _ordered(items)[0].place[0] < first[0].span.start:
            return "", region
        return f"  {_shown(first[0])}", (first[0].span.end, region[1])

    def _lines(self, items: Sequence[Item], region: Region, *, depth: int, separator: str = "") -> list[str]:
        width = WIDTH - depth * len(INDENT)
        laid_out = self._laid_out(items, region, depth, separator)
        rendered: list[str] = []
        for _, group in groupby(_grouped(laid_out), key=lambda pair: pair[0]):
            lines = [line for _, line in group]
            texts = align([line.row for line in lines], lines[0].aligned, width)
            rendered += [
                f"{text}\n{line.below}" if line.below else text for text, line in zip(texts, lines, strict=True)
            ]
        rendered = _with_comments(rendered, laid_out, width)
        return [indented(text) for text in rendered] if depth else rendered

    def _laid_out(self, items: Sequence[Item], region: Region, depth: int, separator: str) -> list[_Line]:
        """The lines of items with the comments and blank lines round them."""
        lines: list[_Line] = []
        ordered = self._joined(_ordered(items))
        at = region[0]
        for number, item in enumerate(ordered):
            at = self._own_comments(lines, (at, item.place[0]), at)
            if lines and self._has_blank(lines, at, item, ordered[number - 1] if number else None, depth):
                lines.append(_Line())
            lines += [_Line(row=(_shown(comment),)) for comment in self._hoisted(item)]
            is_last = number == len(ordered) - 1
            lines.append(self._line(item, depth, "" if is_last else separator))
            at = item.place[1]
        self._own_comments(lines, (at, region[1]), at)
        return lines

    def _own_comments(self, lines: list[_Line], region: Region, at: int) -> int:
        """Add the comments of a region; the first stays on the line before it if it stood there."""
        for comment in self._between(region):
            gap = self._line_ends(at, comment.span.start)
            if lines and gap == 0 and at > 0:
                lines[-1].comment = _shown(comment)
            else:
                if lines and gap > 1:
                    lines.append(_Line())
                lines.append(_Line(row=(_shown(comment),)))
            at = comment.span.end
        return at

    def _has_blank(self, lines: list[_Line], at: int, item: Item, before: Item | None, depth: int) -> bool:
        if self._text is not None:
            return self._line_ends(at, item.place[0]) > 1
        return depth == 0 and before is not None and (before.kind != item.kind or bool(lines[-1].below))

    def _hoisted(self, item: Item) -> Iterator[Comment]:
        """The comments in the middle of an item: they go above it."""
        kept = list(item.regions) + ([item.block.region] if item.block else [])
        for comment in self._between(item.place):
            if not any(start <= comment.span.start < end for start, end in kept):
                yield comment

    # ---- one item

    def _joined(self, items: Sequence[Item]) -> list[Item]:
        """The items, neighbours that join made one unless a comment stands between them."""
        result: list[Item] = []
        for item in items:
            before = result[-1] if result else None
            if before is None or not (before.joins and item.joins) or self._between((before.place[1], item.place[0])):
                result.append(item)
                continue
            cells = (*before.cells(), *item.cells())
            result[-1] = Item((before.place[0], item.place[1]), fixed(*cells), joins=True)
        return result

    def _line(self, item: Item, depth: int, separator: str) -> _Line:
        width = WIDTH - depth * len(INDENT) - len(separator)
        inline = self._inline(item.block)
        if item.block is None or inline is not None:
            row = (*item.cells(), *([inline] if inline is not None else []))
            flat = " ".join(row)
            if "\n" not in flat and len(flat) <= width:
                return _Line((*row[:-1], row[-1] + separator), kind=item.kind, aligned=item.aligned)
        if item.block is None:
            first, _, below = (self._head(item, width) + separator).partition("\n")
            return _Line((first,), below)
        opening, _, below = self._open_block(item.block).partition("\n")
        row = item.cells()
        flat = " ".join(row) + opening
        if item.aligned > 1 and "\n" not in flat and len(flat) <= width:
            return _Line((*row[:-1], row[-1] + opening), below + separator, item.kind, item.aligned)
        first, _, rest = (self._head(item, width - len(opening)) + opening).partition("\n")
        return _Line((first,), (f"{rest}\n{below}" if rest else below) + separator)

    def _head(self, item: Item, width: int) -> str:
        """The cells in the first way that fits: on one line, with long lists broken, on as many lines as it takes."""
        flat = " ".join(item.cells())
        if _fits(flat, width):
            return flat
        self._is_breaking = True
        broken = " ".join(item.cells())
        parts = (item.parts or item.cells)()
        self._is_breaking = False
        return broken if _fits(broken, width) else _filled(parts, width)

    def _inline(self, block: Block | None) -> str | None:
        """A block on one line, if it can be."""
        if block is None or block.is_forced_open or self._is_open(block.region, block.items):
            return None
        if self._text is None and len(block.items) > MAX_INLINE:
            return None
        entries = [self._flat(item) for item in self._joined(_ordered(block.items))]
        flat = [entry for entry in entries if entry is not None]
        if len(flat) < len(entries):
            return None
        return "{ " + "  ".join(flat) + " }" if flat else "{}"

    def _flat(self, item: Item) -> str | None:
        inline = self._inline(item.block)
        if item.block is not None and inline is None:
            return None
        text = " ".join((*item.cells(), *([inline] if inline is not None else [])))
        return None if "\n" in text else text

    def _open_block(self, block: Block) -> str:
        head, inner = self._head_comment(block.region, block.items)
        lines = self._lines(block.items, inner, depth=1)
        return "\n".join([" {" + head, *lines, "}"])


def _ordered(items: Sequence[Item]) -> list[Item]:
    return sorted(items, key=lambda item: item.place[0])


def _shown(comment: Comment) -> str:
    return f"# {comment.text}" if comment.text[:1].isalnum() else f"#{comment.text}"


def _fits(text: str, width: int) -> bool:
    return all(len(line) <= width for line in text.split("\n"))


def _filled(parts: Sequence[str], width: int) -> str:
    """Parts on as few lines as they fit on; the lines after the first are one step in."""
    lines = [parts[0]]
    for part in parts[1:]:
        room = width - (len(INDENT) if len(lines) > 1 else 0)
        together = f"{lines[-1]} {part}"
        if _fits(together, room):
            lines[-1] = together
        else:
            lines.append(part)
    return "\n".join([lines[0], *(indented(line) for line in lines[1:])])


def _with_comments(texts: Sequence[str], lines: Sequence[_Line], width: int) -> list[str]:
    """The texts with the comments after them, those of neighbours under each other."""
    result: list[str] = []
    for has_comment, group in groupby(zip(texts, lines, strict=True), key=lambda pair: bool(pair[1].comment)):
        pairs = list(group)
        if has_comment and not any("\n" in text for text, _ in pairs):
            result += align([(text, f" {line.comment}") for text, line in pairs], 1, width)
        else:
            result += [f"{text}  {line.comment}" if has_comment else text for text, line in pairs]
    return result


def _grouped(lines: Sequence[_Line]) -> Iterator[tuple[int, _Line]]:
    """Each line with the number of its group: neighbours of one kind."""
    group = 0
    before: _Line | None = None
    for line in lines:
        is_alike = before is not None and line.aligned and (before.kind, before.aligned) == (line.kind, line.aligned)
        group += not is_alike
        yield group, line
        before = line
