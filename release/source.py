# SPDX-License-Identifier: GPL-3.0-or-later
"""The commit that is released, apart from the checkout: nothing that lies about there gets into a release."""

from __future__ import annotations

import os
import subprocess
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Dict, List

from .running import Failed, run

ENGINE = Path("plugins/module_utils/wirespeed")
OBJECTS = ENGINE / "objects"


@dataclass(frozen=True)
class Commit:
    """``root`` holds its files. ``when``: seconds since 1970 at which it was made."""

    root: Path
    name: str
    when: int

    @cached_property
    def project(self) -> Dict[str, Any]:
        """pyproject.toml."""
        return tomllib.loads((self.root / "pyproject.toml").read_text())

    @cached_property
    def version(self) -> str:
        """The engine's, which is the collection's (tests/unit/test_versions.py)."""
        text = (self.root / ENGINE / "__init__.py").read_text()
        (line,) = [line for line in text.splitlines() if line.startswith("__version__")]
        return line.split('"')[1]

    @property
    def objects(self) -> List[Path]:
        return sorted((self.root / OBJECTS).glob("*.bpf.o"))

    def run(self, *command: str) -> bytes:
        """In :attr:`root`. Raises :class:`Failed`."""
        return run(command, self.root, self.when)


def export(checkout: Path, into: Path) -> Commit:
    """HEAD's files, all with the modes that git knows. SOURCE_DATE_EPOCH goes before the commit's own time."""
    name, when = git(checkout, "log", "-1", "--format=%H %ct").decode().split()
    packed = git(checkout, "-c", "tar.umask=0022", "archive", "--format=tar", name)
    into.mkdir()
    subprocess.run(["tar", "-x", "--no-same-owner", "-C", str(into)], input=packed, check=True)
    said = os.environ.get("SOURCE_DATE_EPOCH", when)
    if not said.isdecimal():
        raise Failed(f"SOURCE_DATE_EPOCH is {said!r}; it has to be seconds since 1970-01-01, a whole number.")
    return Commit(into, name, int(said))


def uncommitted(checkout: Path) -> List[str]:
    """Files that are changed or new; what git ignores is neither."""
    said = git(checkout, "status", "--porcelain", "-z").decode()
    return [entry[3:] for entry in said.split("\0") if entry[2:3] == " "]


def git(checkout: Path, *words: str) -> bytes:
    try:
        return run(["git", *words], checkout, 0)
    except Failed as failure:
        raise Failed(f"A release is made of a commit, in a clone of the repository: {failure}") from None


def compile_objects(commit: Commit) -> None:
    commit.run("make", "-C", "bpf")
