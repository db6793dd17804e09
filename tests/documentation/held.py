# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page shows of a run that no reader is asked to make: the test that makes it holds the page against it."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping

from . import page, shown

DOCS = Path(__file__).resolve().parents[2] / "docs"


def differs(name: str, key: str, said: str, names: Mapping[str, str] = {}) -> str:
    """Empty where the page's block ``held="key"`` stands somewhere in ``said``; ``names``: what the page calls whom."""
    (block,) = (each for each in page.blocks(DOCS / name) if each.words.get("held") == key)
    text = block.text
    for ours, theirs in names.items():
        text = text.replace(ours, theirs)
    return shown.differs(f"{shown.ANY}\n{text}{shown.ANY}", said)
