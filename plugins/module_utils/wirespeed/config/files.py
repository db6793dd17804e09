# SPDX-License-Identifier: GPL-3.0-or-later
"""A table's rows out of a file: JSON Lines, or a plain list; ``csv_file.py`` has CSV.

Read in blocks of whole lines, so that what is held does not grow with the file. Bytes that are no UTF-8 become
surrogates, which no field takes, so that they are told as a mistake in their row.
"""

from __future__ import annotations

import io
import json
import stat
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import AbstractSet, Any, Dict, Iterator, List, Tuple

from ..errors import BadInput, Place
from .given import CHUNK, Chunk, Texts

LARGEST_FILE = 4 << 30
LONGEST_LINE = 1 << 20
"""Characters. A CSV cell has at most 131,072, which is Python's own limit."""
COMMENT = "#"


@dataclass(frozen=True)
class File(ABC):
    """A subclass is one format: ``chunks`` of rows, and the ``lines``, from 1, at which they begin."""

    path: Path

    @property
    def whole(self) -> Place:
        return Place(str(self.path))

    @abstractmethod
    def chunks(self) -> Iterator[Chunk]: ...

    @abstractmethod
    def lines(self) -> Iterator[int]: ...

    def places(self, numbers: AbstractSet[int]) -> Dict[int, Place]:
        """Goes through the file again."""
        wanted = islice(enumerate(self.lines()), max(numbers) + 1)
        return {number: Place(str(self.path), line) for number, line in wanted if number in numbers}

    def blocks(self) -> Iterator[str]:
        """Whole lines. Raises :class:`BadInput` for a file that cannot be read, or has a line that is too long."""
        rest = ""
        for block in self._read():
            whole, newline, after = block.rpartition("\n")
            if len(rest) + (block.find("\n") if newline else len(block)) > LONGEST_LINE:
                raise BadInput(self.whole, "", f"has a line of more than {LONGEST_LINE} characters.")
            if newline:
                yield rest + whole + newline
            rest = after if newline else rest + after
        if rest:
            yield rest

    def _read(self) -> Iterator[str]:
        try:
            found = self.path.stat()
            if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_FILE:
                raise BadInput(self.whole, "", f"is no file of at most {LARGEST_FILE} bytes.")
            with open(self.path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
                yield from iter(lambda: file.read(LONGEST_LINE), "")
        except OSError as error:
            raise BadInput(self.whole, "", f"cannot be read: {error.strerror}.") from None

    def lines_of_text(self) -> Iterator[str]:
        """With their ends."""
        return chain.from_iterable(map(io.StringIO, self.blocks()))


class Plain(File):
    """One row a line; what stands behind ``#``, and empty lines, are nothing."""

    def chunks(self) -> Iterator[Chunk]:
        for block in self.blocks():
            rows = block.split("\n")
            if COMMENT in block or " " in block or "\t" in block or "\r" in block:
                rows = list(map(_without_comment, rows))
            rows = list(filter(None, rows))
            if rows:
                yield Texts((), (rows,))

    def lines(self) -> Iterator[int]:
        return (number for number, line in enumerate(self.lines_of_text(), start=1) if _without_comment(line))


class JsonLines(File):
    """A mapping of columns a line, or, for a set, a text; empty lines are nothing."""

    def chunks(self) -> Iterator[Chunk]:
        numbered = self._numbered()
        while True:
            chunk = [_parsed(self.path, number, line) for number, line in islice(numbered, CHUNK)]
            if not chunk:
                return
            yield chunk

    def lines(self) -> Iterator[int]:
        return (number for number, dummy in self._numbered())

    def _numbered(self) -> Iterator[Tuple[int, str]]:
        return ((number, line) for number, line in enumerate(self.lines_of_text(), start=1) if line.strip())


def _without_comment(line: str) -> str:
    return line.partition(COMMENT)[0].strip()


def _parsed(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        said = error.args[0] if error.args and isinstance(error, ValueError) else "it is nested too deep"
        raise BadInput(Place(str(path), number), "", f"is no JSON: {said}.", "A line holds one mapping.") from None


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number")
