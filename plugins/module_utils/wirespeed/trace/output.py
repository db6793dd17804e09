# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a trace goes: a file, or a pipe whose reader may be slow, or go away."""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path
from typing import Callable

from ..errors import BadInput, Place, WirespeedError

PIPE = "-"
_AT_ONCE = select.PIPE_BUF
"""Bytes that a pipe takes without waiting once it is ready (pipe(7))."""
_LOOK_S = 0.1


class Closed(Exception):
    """The reader of a pipe has gone, or takes no more."""


class Output:
    """``size`` is how many bytes were written."""

    def __init__(self, name: str, place: Place) -> None:
        """Raises :class:`BadInput` for a terminal, :class:`WirespeedError` for a file that cannot be made."""
        self.name = name
        self.size = 0
        if name == PIPE:
            self._fd = os.dup(1)
            if os.isatty(self._fd):
                os.close(self._fd)
                problem = "is a terminal, and a trace is not text."
                raise BadInput(place, "write", problem, "Give a file, or pipe it: wireshark -k -i -, tshark -r -.")
        else:
            try:
                self._fd = os.open(Path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            except OSError as error:
                remedy = "Name a file in a folder that is there."
                raise WirespeedError(f"Cannot write {name}: {error.strerror}.", remedy) from error
        mode = os.fstat(self._fd).st_mode
        self._pipe = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)

    def write(self, data: bytes, give_up: Callable[[], bool]) -> None:
        """All of it. ``give_up`` is asked while the reader of a pipe takes nothing.

        Raises :class:`Closed`, or :class:`WirespeedError` for a disk that is full.
        """
        view = memoryview(data)
        try:
            while view:
                if self._pipe:
                    self._wait(give_up)
                done = os.write(self._fd, view[:_AT_ONCE] if self._pipe else view)
                self.size += done
                view = view[done:]
        except BrokenPipeError:
            raise Closed from None
        except OSError as error:
            raise WirespeedError(f"Cannot write {self.name}: {error.strerror}.", "Make room.") from error

    def _wait(self, give_up: Callable[[], bool]) -> None:
        while not select.select([], [self._fd], [], _LOOK_S)[1]:
            if give_up():
                raise Closed

    def close(self) -> None:
        os.close(self._fd)
