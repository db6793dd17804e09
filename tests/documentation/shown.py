# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds what a command said against what a page shows: ``...`` stands for any text, alone on a line for any lines."""

from __future__ import annotations

import difflib
import re

ANY = "..."


def differs(shown: str, said: str) -> str:
    """Empty where they agree, else both for a person to compare."""
    if re.fullmatch(pattern(shown), _tidy(said)):
        return ""
    lines = difflib.unified_diff(
        _tidy(shown).splitlines(), _tidy(said).splitlines(), "what the page shows", "what came", lineterm="", n=50
    )
    return "\n".join(lines)


def pattern(shown: str) -> str:
    parts = []
    for line in _tidy(shown).splitlines(keepends=True):
        if line.strip() == ANY:
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r"[^\n]*?".join(re.escape(each) for each in line.split(ANY)))
    return "".join(parts)


def _tidy(text: str) -> str:
    """Without blanks at the ends of lines, and empty lines around it."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n") + "\n"
