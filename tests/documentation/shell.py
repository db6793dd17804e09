# SPDX-License-Identifier: GPL-3.0-or-later
"""One shell, as a reader has one: what a command exports, and where it goes, holds for the next."""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import time
from types import TracebackType
from typing import Mapping, Optional, Sequence, Tuple, Type

PATIENCE = 120.0  # seconds for one command
END = "\x1e"


class TooLong(Exception):
    """A command has not ended."""


class Shell:
    """``bash`` without a terminal. Ends with everything that it began."""

    def __init__(self, folder: str, environment: Mapping[str, str], inside: Sequence[str] = ()) -> None:
        """``inside`` is a command that runs the rest of its arguments elsewhere; ``folder`` is one there."""
        self._child = subprocess.Popen(
            [*inside, "bash", "--noprofile", "--norc"],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._code = 0
        self.run(f"cd {shlex.quote(folder)}")

    def __enter__(self) -> "Shell":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._child.communicate()

    def run(self, command: str) -> Tuple[int, str]:
        """Exit code, and what it said on both streams. It reads nothing, and ``$?`` is that of the command before."""
        assert self._child.stdin is not None
        script = f"(exit {self._code})\n{{ {command}\n}} </dev/null\nprintf '{END}%d{END}' $?\n"
        self._child.stdin.write(script.encode())
        self._child.stdin.flush()
        said = self._until_end(command)
        text, code, _rest = said.decode(errors="replace").split(END)
        self._code = int(code)
        return self._code, text

    def write(self, name: str, text: str) -> None:
        """A file below the folder where the shell is now."""
        words = shlex.quote(name)
        code, said = self.run(f'mkdir -p -- "$(dirname -- {words})" && printf %s {shlex.quote(text)} > {words}')
        assert code == 0, said

    def _until_end(self, command: str) -> bytes:
        assert self._child.stdout is not None
        said, deadline = b"", time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.stdout, selectors.EVENT_READ)
            while said.count(END.encode()) < 2:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TooLong(
                        f"'{command}' has not ended in {PATIENCE:.0f} s. It said: {said.decode(errors='replace')}"
                    )
                piece = os.read(self._child.stdout.fileno(), 65536)
                if not piece:
                    raise TooLong(f"'{command}' ended the shell. It said: {said.decode(errors='replace')}")
                said += piece
        return said
