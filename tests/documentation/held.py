# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page shows of a run that no reader is asked to make: the test that makes it holds the page against it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Mapping

from . import page, shown

DOCS = Path(__file__).resolve().parents[2] / "docs"


def text(name: str, key: str) -> str:
    """The page's block ``held="key"``."""
    (block,) = (each for each in page.blocks(DOCS / name) if each.words.get("held") == key)
    return block.text


def command(name: str, beginning: str) -> str:
    """The command of an indented block that begins so, in one line; there is one."""
    blocks = (each for each in page.blocks(DOCS / name) if not each.language)
    texts = (re.sub(r"\\\n +", "", block.text) for block in blocks)
    (line,) = (line for text in texts for line in text.splitlines() if line.startswith(beginning))
    return line


def stands_in(said: str, name: str, key: str, names: Mapping[str, str] = {}) -> None:
    """AssertionError unless the block stands somewhere in ``said``; ``names``: what the page calls whom."""
    expected = text(name, key)
    for ours, theirs in names.items():
        expected = expected.replace(ours, theirs)
    _agree(f"{shown.ANY}\n{expected}{shown.ANY}", said)


def is_worded(said: str, name: str, key: str) -> None:
    """The same of a sentence, which the page may break into lines."""
    _agree(" ".join(text(name, key).split()), " ".join(said.split()))


def _agree(expected: str, said: str) -> None:
    difference = shown.differs(expected, said)
    assert not difference, difference
