# SPDX-License-Identifier: GPL-3.0-or-later
"""Aligned text."""

from __future__ import annotations

import shutil
import textwrap
from typing import Iterable, List, Sequence, Tuple


def columns(rows: Sequence[Sequence[str]]) -> List[str]:
    """Lines with every column as wide as its widest cell; the first row is the head."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def card(facts: Iterable[Tuple[str, Sequence[str]]]) -> List[str]:
    """``label  text`` lines; further lines of a fact go below its first, long ones are wrapped."""
    listed = [(label, list(texts)) for label, texts in facts]
    width = max(len(label) for label, _ in listed)
    room = max(60, min(shutil.get_terminal_size((120, 24)).columns, 140) - width - 8)
    lines = []
    for label, texts in listed:
        for text in texts or ["-"]:
            for part in textwrap.wrap(text, room, subsequent_indent="   ", break_on_hyphens=False) or [""]:
                lines.append(f"{label.ljust(width)}  {part}".rstrip())
                label = ""
    return lines
