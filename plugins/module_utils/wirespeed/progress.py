# SPDX-License-Identifier: GPL-3.0-or-later
"""How far long work is, on one line of a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import Iterator, Optional

from .pipeline.delivery import Progress

_CLEAR = "\r\x1b[K"


@contextmanager
def on_terminal() -> Iterator[Optional[Progress]]:
    """None where standard error is no terminal. The line is gone at the end."""
    if not sys.stderr.isatty():
        yield None
        return
    shown = ""

    def tell(done: int, of: int, what: str) -> None:
        nonlocal shown
        share = f" {100 * done // of} %" if of else ""
        line = f"{what}{share}"
        if line != shown:
            shown = line
            sys.stderr.write(f"{_CLEAR}{line}")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()
