# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of ours that a page shows and does not run: in short in an indented block, ``shown`` or ``hardware``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from . import page
from .commands import COMMENT

OURS = re.compile(r"(?:^|[|&;] *|ssh \S+ )(?:wirespeed|ansible-playbook|ansible-pull|make) ")


@dataclass(frozen=True)
class Line:
    """``place`` is where it stands, ``text`` the command without its comment."""

    place: str
    text: str


def lines(path: Path) -> Iterator[Line]:
    for block in page.blocks(path):
        if "run" in block.words or block.language not in ("", "console"):
            continue
        for number, line in enumerate(block.text.splitlines(), block.line):
            text = COMMENT.sub("", line).strip()
            if block.language == "console" and not text.startswith("$ "):
                continue
            text = text[2:] if text.startswith("$ ") else text
            if OURS.search(text + " "):
                yield Line(f"{path.name}:{number}", text)
