# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab keeps what it downloads and builds: outside the tree, by content, safe for runs at once."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Iterator


def root() -> Path:
    """`$WIRESPEED_CACHE/lab`, else `$XDG_CACHE_HOME/wirespeed/lab`, else `~/.cache/wirespeed/lab`."""
    base = os.environ.get("WIRESPEED_CACHE")
    if base:
        return Path(base).absolute() / "lab"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wirespeed" / "lab"


def directory(name: str) -> Path:
    path = root() / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def key(*parts: Any) -> str:
    """A short name for content: equal parts (anything JSON holds) give the same key."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def source_of(*modules: str) -> str:
    """Digest of the lab's own source files: what they build is rebuilt when they change."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update((Path(__file__).parent / module).read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """One builder at a time, across processes; a second one waits, and says that it does."""
    with open(directory("locks") / name, "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another run that holds {name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def made_in_place(target: Path) -> Iterator[Path]:
    """A scratch directory that becomes `target` when the body succeeds and vanishes when it does not."""
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch
        os.rename(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def prune(folder: Path, keep: int, pattern: str = "*") -> None:
    """Forget all but the `keep` most recently used entries of a folder; `touch` says what was used."""
    entries = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in entries[keep:]:
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)


def touch(path: Path) -> None:
    os.utime(path)


def say(message: str) -> None:
    print(f"lab: {message}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """A line when a long step begins and another with the time it took."""
    say(f"{what} ...")
    start = time.monotonic()
    yield
    say(f"{what}: done in {time.monotonic() - start:.1f} s")


def mebibytes(path: Path) -> int:
    """Disk space that a file or a tree takes, in MiB (sparse files count what they hold)."""
    paths = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(entry.lstat().st_blocks for entry in paths) * 512 >> 20
