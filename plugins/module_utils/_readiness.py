# SPDX-License-Identifier: GPL-3.0-or-later
"""PRIVATE to the collection: what a node lacks for the engine. Needs nothing that may be lacking, and no root."""

from __future__ import annotations

import ctypes
import importlib.util
import os
from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

LIBRARIES = ("pyroute2", "pyudev", "ethtool", "jinja2", "yaml", "jsonschema")


@dataclass(frozen=True)
class Readiness:
    """``missing``: what this Python cannot find, or the dynamic linker cannot load (``libbpf``).

    ``bpffs`` says whether a BPF file system is mounted where pins are to be. ``jit`` is net.core.bpf_jit_enable, or
    None where it cannot be read: in a network namespace, or where the kernel has none.
    """

    missing: Tuple[str, ...]
    bpffs: bool
    jit: Optional[int]

    @property
    def lacking(self) -> bool:
        return bool(self.missing) or not self.bpffs or self.jit == 0

    def plain(self) -> Dict[str, Any]:
        return {"missing": list(self.missing), "bpffs": self.bpffs, "jit": self.jit}


def look(bpffs: str) -> Readiness:
    return Readiness(_missing(), _bpffs_mounted(bpffs), _jit())


def _missing() -> Tuple[str, ...]:
    absent = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    try:
        ctypes.CDLL("libbpf.so.1")
    except OSError:
        absent.append("libbpf")
    return tuple(absent)


def _bpffs_mounted(path: str) -> bool:
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        entries = [line.split() for line in mounts]
    # The last mount on a path is the one that shows.
    kinds = [entry[2] for entry in entries if entry[1] == os.path.realpath(path)]
    return bool(kinds) and kinds[-1] == "bpf"


def _jit() -> Optional[int]:
    try:
        with open("/proc/sys/net/core/bpf_jit_enable", encoding="ascii") as value:
            return int(value.read())
    except (OSError, ValueError):
        return None
