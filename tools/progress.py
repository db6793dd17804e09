# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what is being done and how long it takes; one rewritten line on a terminal, few lines in a log."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Callable, Mapping, Optional, Sequence

QUIET_SECONDS = 10.0  # how often a log that nobody watches gets a line


class Failed(Exception):
    """One paragraph for the user: what failed and what to do."""


class Stage:
    """A named piece of work with an elapsed time: ``with Stage("apt") as stage: stage.at("1 of 3")``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.started = time.monotonic()
        self.last = self.started
        self.tty = sys.stdout.isatty()

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *exc: object) -> None:
        if self.tty:
            sys.stdout.write("\r\033[K")

    def say(self, text: str) -> None:
        if self.tty:
            sys.stdout.write("\r\033[K")
        print(f"{self.name}: {text}", flush=True)

    def at(self, text: str) -> None:
        """What is going on right now: replaces the line on a terminal, rationed in a log."""
        elapsed = time.monotonic() - self.started
        if self.tty:
            sys.stdout.write(f"\r\033[K{self.name}: {text[:90]} ({elapsed:.0f} s)")
            sys.stdout.flush()
        elif time.monotonic() - self.last >= QUIET_SECONDS:
            self.last = time.monotonic()
            print(f"{self.name}: {text[:120]} ({elapsed:.0f} s)", flush=True)

    def done(self, text: str) -> None:
        self.say(f"{text} ({time.monotonic() - self.started:.1f} s)")


def run(
    stage: Stage,
    argv: Sequence[str],
    log: Path,
    progress: Callable[[str], Optional[str]],
    env: Optional[Mapping[str, str]] = None,
) -> None:
    """Run ``argv``, its output into ``log`` and, where ``progress`` makes a text of a line, on the screen."""
    log.parent.mkdir(parents=True, exist_ok=True)
    tail: "deque[str]" = deque(maxlen=12)
    with log.open("a") as record:
        record.write(f"$ {' '.join(argv)}\n")
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **(env or {})},
        )
        assert child.stdout is not None
        for line in child.stdout:
            record.write(line)
            text = progress(line.rstrip())
            if text:
                stage.at(text)
            else:
                tail.append(line.rstrip())
    if child.wait() != 0:
        shown = "\n    ".join(line for line in tail if line)
        begun = " ".join(argv[:4])
        raise Failed(f"`{begun} ...` failed with exit code {child.returncode}. It said:\n    {shown}\n  Log: {log}")
