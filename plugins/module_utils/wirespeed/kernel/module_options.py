# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters that this machine gives to kernel modules: in modprobe.d(5) and on the kernel's command line."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Set

_FOLDERS = ("etc/modprobe.d", "run/modprobe.d", "usr/local/lib/modprobe.d", "usr/lib/modprobe.d", "lib/modprobe.d")


@dataclass(frozen=True)
class ModuleOption:
    """``origin`` is a file and line, or ``/proc/cmdline``."""

    module: str
    parameter: str
    value: str
    origin: str


def read(root: Path = Path("/")) -> List[ModuleOption]:
    """All of them; a file of a later folder that has the name of an earlier one's does not count, as for modprobe."""
    found: List[ModuleOption] = []
    seen: Set[str] = set()
    for folder in _FOLDERS:
        for path in sorted((root / folder).glob("*.conf")):
            if path.name not in seen:
                seen.add(path.name)
                found += _of_file(path)
    return [*found, *_of_command_line(root)]


def _of_file(path: Path) -> Iterator[ModuleOption]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for number, line in enumerate(lines, 1):
        words = line.split()
        if len(words) > 2 and words[0] == "options":
            for word in words[2:]:
                parameter, dummy, value = word.partition("=")
                yield ModuleOption(_spelled(words[1]), _spelled(parameter), value, f"{path}:{number}")


def _of_command_line(root: Path) -> Iterator[ModuleOption]:
    path = root / "proc" / "cmdline"
    try:
        words = shlex.split(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError):
        return
    for word in words:
        name, equals, value = word.partition("=")
        module, dot, parameter = name.partition(".")
        if dot and equals:
            yield ModuleOption(_spelled(module), _spelled(parameter), value, str(path))


def _spelled(name: str) -> str:
    return name.replace("-", "_")
