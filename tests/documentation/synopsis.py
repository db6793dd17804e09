# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that pages show in short, in indented blocks: what one would type, without what comes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from . import page
from .commands import COMMENT


@dataclass(frozen=True)
class Line:
    """``place`` is where it stands, ``text`` the command without its comment."""

    place: str
    text: str


def lines(path: Path, program: str) -> Iterator[Line]:
    """Those of a page in which ``program`` has a part."""
    part = re.compile(rf"(?:^|[|] *){re.escape(program)} ")
    for block in page.blocks(path):
        if block.language:
            continue
        for number, line in enumerate(block.text.splitlines(), block.line):
            text = COMMENT.sub("", line).strip()
            if part.search(text + " "):
                yield Line(f"{path.name}:{number}", text)
