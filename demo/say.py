# SPDX-License-Identifier: GPL-3.0-or-later
"""How the demo speaks: chapters, lines, and a failure that ends it. Colour on a terminal only."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Iterator

_BOLD, _DIM, _GREEN, _PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[0m"


class DemoFailed(Exception):
    """A step did not do what the demo claims it does."""


def check(good: bool, otherwise: str) -> None:
    """Every claim of the demo goes through here."""
    if not good:
        raise DemoFailed(otherwise)


def _shaded(code: str, text: str) -> str:
    return f"{code}{text}{_PLAIN}" if sys.stdout.isatty() else text


def line(text: str = "") -> None:
    print(f"  {text}".rstrip(), flush=True)


def good(text: str) -> None:
    """Something that was claimed and has just been checked."""
    line(f"{_shaded(_GREEN, 'ok')}  {text}")


def command(text: str) -> None:
    line(_shaded(_DIM, f"$ {text}"))


@contextlib.contextmanager
def chapter(number: int, title: str) -> Iterator[None]:
    print(f"\n{_shaded(_BOLD, f'{number}. {title}')}", flush=True)
    started = time.monotonic()
    yield
    line(_shaded(_DIM, f"({time.monotonic() - started:.1f} s)"))
