# SPDX-License-Identifier: GPL-3.0-or-later
"""Say as JSON what this node lacks for the engine: ``probe.py BPFFS``. Looks only, and needs no root.

``missing``  what the running Python cannot find, or the dynamic linker cannot load.
``bpffs``    whether a BPF file system is mounted at the given path.
``jit``      net.core.bpf_jit_enable, or null where it cannot be read (in a network namespace, or the kernel has none).
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import sys
from typing import List, Optional

MODULES = ("pyroute2", "pyudev", "ethtool", "jinja2", "yaml", "jsonschema")


def missing() -> List[str]:
    absent = [name for name in MODULES if importlib.util.find_spec(name) is None]
    try:
        ctypes.CDLL("libbpf.so.1")
    except OSError:
        absent.append("libbpf")
    return absent


def bpffs_mounted(path: str) -> bool:
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        entries = [line.split() for line in mounts]
    # The last mount on a path is the one that shows.
    kinds = [entry[2] for entry in entries if entry[1] == os.path.realpath(path)]
    return bool(kinds) and kinds[-1] == "bpf"


def jit() -> Optional[int]:
    try:
        with open("/proc/sys/net/core/bpf_jit_enable", encoding="ascii") as value:
            return int(value.read())
    except (OSError, ValueError):
        return None


if __name__ == "__main__":
    print(json.dumps({"missing": missing(), "bpffs": bpffs_mounted(sys.argv[1]), "jit": jit()}))
