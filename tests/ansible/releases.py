# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases made twice: from two clones of one commit, in surroundings that differ as those of two people do."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import List

ROOT = Path(__file__).resolve().parents[2]
COMMITTER = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
OF_ANOTHER = {"TZ": "Asia/Tokyo", "LANG": "C", "MAKEFLAGS": "-j2", "PYTHONHASHSEED": "7"}
"""What the second one's shell has."""


@dataclass(frozen=True)
class Release:
    """``dist`` holds the files; ``said`` is what the build wrote on standard error."""

    clone: Path
    said: str

    @property
    def dist(self) -> Path:
        return self.clone / "build" / "dist"

    def file(self, pattern: str) -> Path:
        (found,) = self.dist.glob(pattern)
        return found


def environment() -> Path:
    """The Python of what makes releases; made where it is not there yet."""
    command = ["/usr/bin/python3", str(ROOT / "tools" / "setup.py"), "--for", "release"]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Path(made.strip()) / "bin" / "python"


def git(where: Path, *words: str) -> str:
    said = subprocess.run(["git", *COMMITTER, *words], cwd=where, check=True, stdout=subprocess.PIPE, text=True)
    return said.stdout


def cloned(repository: Path, into: Path) -> Path:
    git(repository, "clone", "--quiet", "--depth", "1", f"file://{repository}", str(into))
    return into


def with_changes(clone: Path) -> Path:
    """The files of this checkout as they are now, committed: what is tested is what is here."""
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    here: List[str] = [name for name in listed if name and os.path.lexists(ROOT / name)]
    git(clone, "rm", "--quiet", "-r", "--force", ".")
    names = "\0".join(here).encode()
    packed = subprocess.run(["tar", "-c", "--null", "-T", "-"], cwd=ROOT, input=names, check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", str(clone)], input=packed.stdout, check=True)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "As it is here")
    return clone


def made(clone: Path, umask: str = "022", **settings: str) -> "subprocess.CompletedProcess[str]":
    """``python -m release`` there."""
    words = shlex.join([str(environment()), "-m", "release"])
    command = ["sh", "-c", f"umask {umask}; exec {words}"]
    told = {**os.environ, **settings}
    return subprocess.run(command, cwd=clone, env=told, capture_output=True, text=True, check=False)


def release(clone: Path, umask: str = "022", **settings: str) -> Release:
    done = made(clone, umask, **settings)
    assert done.returncode == 0, done.stderr
    return Release(clone, done.stderr)


def first(folder: Path) -> Release:
    return release(with_changes(cloned(ROOT, folder / "one")))


def second(of: Release, folder: Path) -> Release:
    """Of the same commit elsewhere, with a file beside it that nobody has committed."""
    clone = cloned(of.clone, folder / "quite" / "another-place")
    (clone / "plugins" / "modules" / "stray.py").write_text("# nobody's\n")
    return release(clone, "077", **OF_ANOTHER)
