# SPDX-License-Identifier: GPL-3.0-or-later
"""Sections of ``key = value``, with line numbers, as systemd, GLib's key files and tuned write them: pure.

Nothing is an error here. A line that is neither section, comment nor assignment is left out, as the
managers do or complain about themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import List

_SECTION = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True)
class Entry:
    section: str
    key: str
    value: str
    line: int

    @property
    def option(self) -> str:
        return f"[{self.section}] {self.key}"


def systemd(text: str) -> List[Entry]:
    """A backslash at the end of a line goes on in the next (systemd.syntax)."""
    entries: List[Entry] = []
    section = pending = ""
    start = 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line[:1] in ("#", ";"):
            continue  # also between the lines of one value
        start = start if pending else number
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        line, pending = (pending + line).strip(), ""
        section = _taken(line, section, start, entries)
    return entries


def key_file(text: str) -> List[Entry]:
    """GLib's: no continued lines, ``#`` begins a comment."""
    entries: List[Entry] = []
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1] != "#":
            section = _taken(line.strip(), section, number, entries)
    return entries


def tuned(text: str) -> List[Entry]:
    """Python's configparser as tuned uses it: ``=`` alone delimits, `` #`` ends a line, an indented line goes on."""
    entries: List[Entry] = []
    section = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", raw).rstrip()
        if not line or line.lstrip()[:1] == ";":
            continue
        if line[0].isspace() and entries and entries[-1].section == section:
            entries[-1] = replace(entries[-1], value=f"{entries[-1].value} {line.strip()}".strip())
        else:
            section = _taken(line.strip(), section, number, entries)
    return entries


def _taken(line: str, section: str, number: int, entries: List[Entry]) -> str:
    """The section after this line."""
    found = _SECTION.match(line)
    if found:
        return found[1].strip()
    key, equals, value = line.partition("=")
    if equals and key.strip():
        entries.append(Entry(section, key.strip(), value.strip(), number))
    return section
