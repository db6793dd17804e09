# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries whose time is over: a program takes them for absent where it looks them up, and this takes them out.

They take room until then, and what counts a map's entries counts them. An entry is looked at again right before it is
deleted, so that one that a packet has just renewed is lost only in the moment between two system calls.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import List, Optional

from ..kernel.bpf_map import BpfMap
from . import instance
from .expires import BYTES, offset
from .pins import Paths
from .source import PipelineSource

_NS = 1_000_000_000


@dataclass(frozen=True)
class Swept:
    """``visited`` entries of a map, of which ``removed`` were over, or would be in a check."""

    map: str
    visited: int
    removed: int


def sweep(paths: Paths, source: PipelineSource, generation: str, check: bool) -> List[Swept]:
    """Of every map of a loaded generation whose manifest says ``expires``. Raises KernelRefusal."""
    found = []
    for name, spec in source.manifest.maps.items():
        if spec.expires is not None:
            at = offset(source.maps[name], source.btf, spec.expires)
            with instance.open_map(paths, source.manifest.name, generation, name) as opened:
                found.append(_sweep(opened, at, spec.expires.after * _NS, check))
    return found


def _sweep(opened: BpfMap, at: int, after: int, check: bool) -> Swept:
    """The kernel's clock is CLOCK_MONOTONIC (bpf_ktime_get_ns, kernel/bpf/helpers.c; the coarse one is behind it)."""
    visited, over = 0, []
    for key, value in opened.items():
        visited += 1
        if _is_over(value, at, after):
            over.append(key)
    removed = len(over) if check else sum(_remove(opened, key, at, after) for key in over)
    return Swept(opened.name, visited, removed)


def _remove(opened: BpfMap, key: bytes, at: int, after: int) -> bool:
    value: Optional[bytes] = opened.lookup(key)
    return value is not None and _is_over(value, at, after) and opened.delete(key)


def _is_over(value: bytes, at: int, after: int) -> bool:
    seen = int.from_bytes(value[at : at + BYTES], "little")
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) > seen + after
