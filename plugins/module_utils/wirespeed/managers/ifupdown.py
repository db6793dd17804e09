# SPDX-License-Identifier: GPL-3.0-or-later
"""ifupdown: options of ``/etc/network/interfaces`` that ethtool's scripts in ``if-up.d`` act on, and commands in it.

interfaces(5) of ifupdown 0.8; the options' names: /etc/network/if-up.d/ethtool of Debian's ethtool.
They are set whenever the interface is brought up.
"""

from __future__ import annotations

import fnmatch
import re
from typing import Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..model.claim import Claim
from ..model.settings import Setting, Value
from . import commands, words
from .manager import Subject
from .tree import Tree

NAME = "ifupdown"
_MAIN = "/etc/network/interfaces"
_UP = ("/run/network/ifstate", "/etc/network/run/ifstate")
_MAX_FILES = 64
_PREFIXES = (
    ("ethernet-pause-", Setting.PAUSE),
    ("hardware-irq-coalesce-", Setting.COALESCE),
    ("hardware-dma-ring-", Setting.RINGS),
    ("offload-", Setting.FEATURES),
)
_COMMANDS = ("up", "post-up", "pre-up")
_STANZAS = re.compile(r"(iface|mapping|auto|allow-[\w-]+|no-auto-down|no-scripts|rename|source|source-directory)\s")
_IFACE = ("$IFACE", "${IFACE}")


class Line(NamedTuple):
    """One option of the stanza of ``interface``."""

    interface: str
    option: str
    text: str
    file: str
    number: int


def claims(tree: Tree, subject: Subject) -> Iterable[Claim]:
    name = subject.nic.name
    lines = [line for line in read(tree) if line.interface == name]
    if not lines:
        return
    active = any(name == entry.partition("=")[0] for path in _UP for entry in (tree.text(path) or "").split())
    for line in lines:
        option = f"iface {name}: {line.option}"
        for setting, key, value in meaning(line.option, line.text, name):
            yield Claim(NAME, line.file, line.number, option, setting, key, value, active)


def read(tree: Tree) -> List[Line]:
    """All options of all stanzas, with the files that are sourced."""
    found: List[Line] = []
    waiting = [_MAIN]
    seen: Set[str] = set()
    while waiting and len(seen) < _MAX_FILES:
        path = waiting.pop(0)
        text = None if path in seen else tree.text(path)
        seen.add(path)
        if text is not None:
            lines, sources = parse(text, path)
            found += lines
            waiting += [each for source in sources for each in _files(tree, *source)]
    return found


def parse(text: str, path: str) -> "Tuple[List[Line], List[tuple[str, str]]]":
    """The options, and what is sourced: the keyword and its pattern."""
    lines: List[Line] = []
    sources: "List[tuple[str, str]]" = []
    interface = ""
    for number, line in _logical(text):
        first, dummy, rest = line.partition(" ")
        if _STANZAS.match(line + " "):
            interface = (rest.split() or [""])[0] if first == "iface" else ""
            if first.startswith("source"):
                sources += [(first, pattern) for pattern in rest.split()]
        elif interface:
            lines.append(Line(interface, first, rest.strip(), path, number))
    return lines, sources


def meaning(option: str, text: str, interface: str) -> Iterator["tuple[Setting, str, Optional[Value]]"]:
    """What one option sets on ``interface``."""
    if option in _COMMANDS:
        for each in commands.ordered(text):
            if each.device in (*_IFACE, interface):
                yield each.setting, each.key, each.value
    elif option == "mtu":
        yield Setting.MTU, "mtu", words.number(text)
    for prefix, setting in _PREFIXES:
        key = option[len(prefix) :].replace("_", "-").lower()
        if option.startswith(prefix) and words.known(setting, key):
            yield setting, key, words.value_of(setting, key, text)


def _logical(text: str) -> Iterator["tuple[int, str]"]:
    """Lines without comments; a backslash at the end goes on in the next."""
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line[:1] == "#" and not pending:
            continue
        start = start if pending else number
        if line.endswith("\\"):
            pending += line[:-1] + " "
        else:
            yield start, re.sub(r"\s+", " ", pending + line, count=1)
            pending = ""


def _files(tree: Tree, keyword: str, pattern: str) -> Sequence[str]:
    """``source`` takes shell patterns in the last part here, ``source-directory`` all files with plain names."""
    pattern = pattern if pattern.startswith("/") else f"/etc/network/{pattern}"
    if keyword == "source-directory":
        folder = pattern.rstrip("/")
        return [f"{folder}/{name}" for name in tree.names(folder) if re.fullmatch(r"[a-zA-Z0-9_.-]+", name)]
    folder, dummy, last = pattern.rpartition("/")
    if not re.search(r"[*?\[]", last):
        return [pattern]
    return [f"{folder}/{name}" for name in tree.names(folder) if fnmatch.fnmatchcase(name, last)]
