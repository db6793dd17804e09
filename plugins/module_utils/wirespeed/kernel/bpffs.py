# SPDX-License-Identifier: GPL-3.0-or-later
"""The BPF file system: where it is mounted, names it accepts, directories of pins."""

from __future__ import annotations

import ctypes
import os
import re
from pathlib import Path
from typing import List, Tuple

from ..errors import MissingPrerequisite, WirespeedError

BPF_FS_MAGIC = 0xCAFE4A11  # include/uapi/linux/magic.h


def is_bpffs(path: Path) -> bool:
    """Whether ``path``, or its nearest existing parent, lies on a bpffs."""
    while not path.exists():
        if path == path.parent:
            return False
        path = path.parent
    buffer = ctypes.create_string_buffer(256)  # struct statfs begins with the magic as a long
    if ctypes.CDLL(None, use_errno=True).statfs(os.fsencode(path), buffer) != 0:
        return False
    return ctypes.c_long.from_buffer(buffer).value & 0xFFFFFFFF == BPF_FS_MAGIC


def require(path: Path) -> None:
    """Raises :class:`MissingPrerequisite` unless pins can be made below ``path``."""
    if os.geteuid() != 0:
        raise MissingPrerequisite("Pipelines need root.", "Run as root, or with become: true.")
    if not is_bpffs(path):
        raise MissingPrerequisite(
            f"{path} is not a BPF file system, so nothing can stay loaded there.",
            f"Mount it: mount -t bpf bpf {path} (systemd does so at boot for /sys/fs/bpf; "
            "'ip netns exec' hides it, 'nsenter --net=' does not).",
        )


def encode(name: str) -> str:
    """``name`` as a file name for bpffs, which refuses dots with EPERM (kernel/bpf/inode.c, bpf_lookup)."""
    return re.sub(r"[%./]", lambda found: f"%{ord(found[0]):02x}", name)


def decode(name: str) -> str:
    return re.sub(r"%([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), name)


def make_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WirespeedError(f"Cannot make the directory {path} on bpffs: {error.strerror}.") from error


def entries(path: Path) -> Tuple[Path, ...]:
    """What is in a directory, sorted by name; nothing when it is absent."""
    try:
        return tuple(sorted(path.iterdir()))
    except FileNotFoundError:
        return ()


def unpin(path: Path) -> bool:
    """False when there was no such pin."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def remove_tree(path: Path) -> List[str]:
    """Removes pins and directories below and including ``path``; returns the pins removed."""
    removed: List[str] = []
    for entry in entries(path):
        if entry.is_dir():
            removed += remove_tree(entry)
        else:
            entry.unlink()
            removed.append(str(entry))
    if path.is_dir():
        path.rmdir()
    return removed


def remove_if_empty(path: Path) -> None:
    try:
        path.rmdir()
    except OSError:  # absent, or still in use
        return
