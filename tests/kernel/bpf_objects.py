# SPDX-License-Identifier: GPL-3.0-or-later
"""Which BPF objects a test made: found from its pins and its interfaces, then looked for after it is over.

Ids are handed out in a cycle and not soon used twice, so an id that is still there is the same object.
"""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Set, Tuple

from tests.probes import SYS_BPF

OBJ_GET = 7
GET_NEXT_ID = {"prog": 11, "map": 12, "link": 31}
KERNELS_OWN = ("maps.debug", "progs.debug")  # iterators that the kernel itself puts into a new bpffs
FDINFO_KEYS = {"prog_id": "prog", "map_id": "map", "link_id": "link"}

BpfObject = Tuple[str, int]  # ("prog", 17)


def _bpf(command: int, attributes: bytes) -> int:
    """bpf(2): a file descriptor, or -1."""
    buffer = ctypes.create_string_buffer(attributes.ljust(64, b"\0"), 64)
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(SYS_BPF[os.uname().machine], command, buffer, 64))


def _identify(descriptor: int) -> Set[BpfObject]:
    """All ids that the kernel prints for a BPF file: a link's has its program's too."""
    text = Path(f"/proc/self/fdinfo/{descriptor}").read_text()
    rows = (line.split(":") for line in text.splitlines() if ":" in line)
    return {(FDINFO_KEYS[key], int(value)) for key, value in rows if key in FDINFO_KEYS}


def pins(bpffs: Path) -> Dict[str, Set[BpfObject]]:
    """Pinned path relative to ``bpffs`` -> the object's ids."""
    found = {}
    for folder, _, names in os.walk(bpffs):
        for name in names:
            path = Path(folder, name)
            if str(path.relative_to(bpffs)) in KERNELS_OWN:
                continue
            found[str(path.relative_to(bpffs))] = _pinned(path)
    return found


def _pinned(path: Path) -> Set[BpfObject]:
    name = ctypes.create_string_buffer(os.fsencode(path))
    descriptor = _bpf(OBJ_GET, struct.pack("Q", ctypes.addressof(name)))
    if descriptor < 0:
        return set()
    try:
        return _identify(descriptor)
    finally:
        os.close(descriptor)


def holders(kind: str, number: int) -> List[str]:
    """``pid (command): fdinfo`` of every process that has the object open; a pin or a program may hold it too."""
    found = []
    for path in Path("/proc").glob("[0-9]*/fdinfo/*"):
        try:
            held = f"{kind}_id:\t{number}\n" in path.read_text()
            found += [f"{path.parts[2]} ({Path('/proc', path.parts[2], 'comm').read_text().strip()})"] if held else []
        except OSError:  # closed, or ended, meanwhile
            continue
    return found


def alive(objects: Iterable[BpfObject]) -> Set[BpfObject]:
    """Those that the kernel still has.

    Found without opening them: to open and close a program array that is about to go makes the kernel clear it once
    more, and when the first clearing is still queued, the reference taken for the second is never given back
    (kernel/bpf/arraymap.c prog_array_map_clear; half of such arrays stay for ever on Linux 6.18).
    """
    return {(kind, number) for kind, number in objects if _next(kind, number - 1) == number}


def programs() -> Iterator[int]:
    """The ids of all programs that the kernel has."""
    number = _next("prog", 0)
    while number:
        yield number
        number = _next("prog", number)


def _next(kind: str, number: int) -> int:
    """The lowest id above ``number``; 0 when there is none."""
    attributes = ctypes.create_string_buffer(struct.pack("I", number).ljust(64, b"\0"), 64)
    libc = ctypes.CDLL(None, use_errno=True)
    failed = libc.syscall(SYS_BPF[os.uname().machine], GET_NEXT_ID[kind], attributes, 64)
    return 0 if failed else int(struct.unpack_from("I", attributes.raw, 4)[0])
