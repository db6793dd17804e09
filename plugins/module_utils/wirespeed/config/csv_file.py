# SPDX-License-Identifier: GPL-3.0-or-later
"""A table's rows out of a CSV file (RFC 4180), whose first line names the columns."""

from __future__ import annotations

import csv
import io
from itertools import chain, islice
from typing import Iterable, Iterator, List, Optional, Sequence, Tuple

from ..errors import BadInput, Place
from .fields.field import shown
from .files import File
from .given import Chunk, Texts

_QUOTE = '"'
_NO_MARKS = bytes(set(range(256)) - set(b",\n"))
_ROWS = 4096
"""That Python's csv reads at once: more of its lists would keep the garbage collector busy."""


class Csv(File):
    """Empty lines are nothing. What has no quotes is split at commas, which is faster than Python's csv."""

    def chunks(self) -> Iterator[Chunk]:
        """From the first block with a quote, an empty line or a cell too many on, Python's csv reads."""
        blocks = self.blocks()
        names: Tuple[str, ...] = ()
        for block in blocks:
            if not names and block.partition("\n")[0].strip() and _QUOTE not in block:
                header, dummy, block = block.partition("\n")
                names = self._names(header.split(","))
            cells = _columns(block, len(names)) if names else None
            if cells is None:
                yield from self._read_quoted(chain([block], blocks), names)
                return
            if block:
                yield Texts(names, cells)
        if not names:
            raise self._empty()

    def lines(self) -> Iterator[int]:
        reader = csv.reader(self.lines_of_text(), strict=True)
        before, named = 0, False
        for row in reader:
            if row and named:
                yield before + 1
            named = named or bool(row)
            before = reader.line_num

    def _read_quoted(self, blocks: Iterable[str], names: Tuple[str, ...]) -> Iterator[Chunk]:
        reader = csv.reader(chain.from_iterable(map(io.StringIO, blocks)), strict=True)
        try:
            names = names or self._names(next(filter(None, reader), [""]))
            while True:
                read = list(islice(reader, _ROWS))
                if not read:
                    return
                rows = list(filter(None, read))
                if set(map(len, rows)) - {len(names)}:
                    raise self._fault(len(names))
                if rows:
                    yield Texts(names, tuple(zip(*rows)))
        except csv.Error:
            raise self._fault(len(names)) from None

    def _names(self, header: Sequence[str]) -> Tuple[str, ...]:
        names = tuple(name.strip() for name in header)
        if not any(names):
            raise self._empty()
        for name in names:
            if names.count(name) > 1:
                raise BadInput(Place(str(self.path), 1), "", f"names column {name!r} twice.", "Remove one.")
        return names

    def _empty(self) -> BadInput:
        return BadInput(self.whole, "", "is empty.", "Its first line names the columns.")

    def _fault(self, width: int) -> BadInput:
        """Goes through the file again, for the line of the first row that is none."""
        reader = csv.reader(self.lines_of_text(), strict=True)
        problem = "is no CSV."
        try:
            for row in reader:
                if row and len(row) != (width or len(row)):
                    problem = f"has {len(row)} cells, but there are {width} columns: {shown(','.join(row))}."
                    break
        except csv.Error as error:
            problem = f"is no CSV: {error}."
        place = Place(str(self.path), reader.line_num)
        return BadInput(place, "", problem, "Put cells with commas, quotes or line ends in double quotes.")


def _columns(block: str, width: int) -> Optional[Tuple[List[str], ...]]:
    """None for anything but lines of so many cells without quotes."""
    text = block.replace("\r\n", "\n") if "\r" in block else block
    if text and not text.endswith("\n"):
        text += "\n"
    if _QUOTE in text or "\r" in text or (width == 1 and ("\n\n" in text or text.startswith("\n"))):
        return None
    marks = text.encode(errors="surrogateescape").translate(None, _NO_MARKS)
    if marks != (b"," * (width - 1) + b"\n") * text.count("\n"):
        return None
    cells = text.replace("\n", ",").split(",")
    cells.pop()
    return tuple(cells[at::width] for at in range(width))
