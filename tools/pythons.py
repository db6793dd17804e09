# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Pythons this machine has, by version: real interpreters, not the shims of a version manager."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Dict, Iterator, Tuple

Version = Tuple[int, int]
NAME = re.compile(r"python3\.\d+")
# Where pyenv and uv keep theirs, and where a build by hand lands.
PLACES = ("~/.pyenv/versions/*/bin", "~/.local/share/uv/python/*/bin", "/opt/python*/bin", "/usr/local/bin")
ASK = "import sys; print(*sys.version_info[:2], sys.executable)"


def found() -> Dict[Version, Path]:
    """The first of each version: PATH goes before the other places."""
    known: Dict[Version, Path] = {}
    for path in _candidates():
        answer = _asked(path)
        if answer is not None:
            known.setdefault(*answer)
    return dict(sorted(known.items()))


def _candidates() -> Iterator[Path]:
    folders = [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep) if each]
    for place in PLACES:
        where = Path(place).expanduser()
        folders += sorted(Path(where.anchor).glob(str(where.relative_to(where.anchor))))
    for folder in folders:
        if folder.is_dir():
            yield from sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))


def _asked(path: Path) -> "Tuple[Version, Path] | None":
    """A shim that has no such version fails; one that has it names the interpreter behind it."""
    try:
        done = subprocess.run([path, "-I", "-c", ASK], capture_output=True, text=True, check=True, timeout=20)
        major, minor, executable = done.stdout.split(maxsplit=2)
        return (int(major), int(minor)), Path(executable.strip())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
