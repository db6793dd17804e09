# SPDX-License-Identifier: GPL-3.0-or-later
"""How far long work is, as one line of a terminal that is written over; silent where there is no terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, TextIO

from .pipeline.delivery import Progress

_ERASED = "\r\x1b[K"


@contextmanager
def shown_on(stream: TextIO) -> Iterator[Progress]:
    """The line is gone afterwards, whatever happens."""
    line = _Line(stream)
    try:
        yield line.show
    finally:
        line.erase()


class _Line:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._text = ""

    def show(self, done: int, of: int, what: str) -> None:
        """``of`` is 0 where it is not known."""
        text = worded(done, of, what)
        if self._terminal and text != self._text:
            self._stream.write(_ERASED + text)
            self._stream.flush()
            self._text = text

    def erase(self) -> None:
        if self._text:
            self._stream.write(_ERASED)
            self._stream.flush()


def worded(done: int, of: int, what: str) -> str:
    """In whole percent, so that a million calls are a hundred lines."""
    return f"{what}: {100 * done // of} % of {of}" if of else what
