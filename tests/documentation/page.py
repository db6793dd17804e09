# SPDX-License-Identifier: GPL-3.0-or-later
"""The code blocks of a Markdown page, in their order."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

FENCE = re.compile(r"^(?P<margin> *)(?P<mark>`{3,}|~{3,}) *(?P<language>[\w.+-]*) *(?P<words>.*)$")
WORD = re.compile(r'(?P<name>[a-zA-Z][\w-]*)(?:="(?P<value>[^"]*)")?')
INDENTED = re.compile(r"^(?: {4}|\t)")
LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s")


@dataclass(frozen=True)
class Block:
    """One code block. ``line`` is that of its first line of text, counted from 1; an indented one has no language."""

    page: Path
    line: int
    language: str
    text: str
    words: Dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def title(self) -> Optional[str]:
        """The name of the file that this is, where the page has the reader write one."""
        title = self.words.get("title")
        return title if title and " " not in title else None


@dataclass(frozen=True)
class Command:
    """``shown`` is None where the page shows no output."""

    place: str
    text: str
    shown: Optional[str]


def blocks(page: Path) -> List[Block]:
    return list(_blocks(page, page.read_text(encoding="utf-8").splitlines()))


def _blocks(page: Path, lines: List[str]) -> Iterator[Block]:
    at = 0
    within_list = False
    while at < len(lines):
        line = lines[at]
        fence = FENCE.match(line)
        if fence:
            end = _end(lines, at + 1, fence["mark"])
            words = {found["name"]: found["value"] or "" for found in WORD.finditer(fence["words"])}
            yield Block(page, at + 2, fence["language"], _text(lines[at + 1 : end]), words)
            at = end + 1
            continue
        if line.strip() and not line.startswith(" "):
            within_list = bool(LIST_ITEM.match(line))
        if INDENTED.match(line) and not within_list and (at == 0 or not lines[at - 1].strip()):
            end = _end_of_indented(lines, at)
            yield Block(page, at + 1, "", _text(lines[at:end]))
            at = end
            continue
        at += 1


def _end(lines: List[str], start: int, mark: str) -> int:
    for at in range(start, len(lines)):
        if lines[at].strip().startswith(mark):
            return at
    return len(lines)


def _end_of_indented(lines: List[str], start: int) -> int:
    at = start
    while at < len(lines) and (not lines[at].strip() or INDENTED.match(lines[at])):
        at += 1
    return at


def _text(lines: List[str]) -> str:
    return textwrap.dedent("\n".join(lines)).strip("\n") + "\n"


def commands(block: Block) -> List[Command]:
    """Of a ``console`` block: the lines behind ``$``, goes on behind ``>``, and what is shown below."""
    found: List[Tuple[int, List[str], List[str]]] = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            found.append((number, [line[2:]], []))
        elif line.startswith("> ") and found and not found[-1][2]:
            found[-1][1].append(line[2:])
        elif found:
            found[-1][2].append(line)
    return [
        Command(f"{block.page.name}:{number}", "\n".join(words), "\n".join(shown).strip("\n") or None)
        for number, words, shown in found
    ]
