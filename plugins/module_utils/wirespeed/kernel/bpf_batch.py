# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole tables between memory and a map: the kernel's batch calls on keys that lie one behind the other, and values.

Pointers into the caller's memory go to the kernel as they are; no row is touched in Python. A value is one CPU's: for a
per-CPU map it is written for each of them.
"""

from __future__ import annotations

import ctypes
import errno
from typing import Callable, Iterator, List, Optional, Tuple, Union

from . import libbpf
from .bpf_map import BatchOptions, BpfMap
from .libbpf import call, function

Buffer = Union[bytes, memoryview]
Progress = Callable[[int], None]
"""Called with the number of rows of each part that is done."""

ROWS = 1 << 16
"""Of one call: the kernel is asked some twenty times for a million rows, and progress shows."""

_FD, _PTR, _COUNT = ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32)


def update(found: BpfMap, keys: Buffer, values: Buffer, progress: Optional[Progress] = None) -> None:
    """Writes every row, over what is there. On a refusal the error says how many were written before it."""
    write = function("bpf_map_update_batch", _FD, _FD, _PTR, _PTR, _COUNT, _PTR)
    options, key_size, size = BatchOptions(), found.info.key_size, found.info.value_size
    total, all_keys, all_values = len(keys) // key_size, _Memory(keys), _Memory(values)
    for start in range(0, total, ROWS):
        number = min(ROWS, total - start)
        count = ctypes.c_uint32(number)
        key, value = all_keys.address + start * key_size, all_values.address + start * size
        if found.info.percpu:
            spread = _spread(found, values, start, number)
            value = spread.address
        result = write(found.fd, key, value, ctypes.byref(count), ctypes.byref(options))
        done = start + (count.value if result else number)
        call(f"bpf_map_update_batch {found.name} after {done} of {total} entries", result)
        if progress is not None:
            progress(number)


def delete(found: BpfMap, keys: Buffer, progress: Optional[Progress] = None) -> None:
    """Absent keys are skipped: the kernel's batch stops at the first one (-ENOENT)."""
    remove = function("bpf_map_delete_batch", _FD, _FD, _PTR, _COUNT, _PTR)
    options, key_size, total = BatchOptions(), found.info.key_size, len(keys) // found.info.key_size
    memory, at = _Memory(keys), 0
    while at < total:
        number = min(ROWS, total - at)
        count = ctypes.c_uint32(number)
        result = remove(found.fd, memory.address + at * key_size, ctypes.byref(count), ctypes.byref(options))
        done = number
        if result == -errno.ENOENT:
            done = count.value + 1
        else:
            call(f"bpf_map_delete_batch {found.name}", result)
        at += done
        if progress is not None:
            progress(done)


def read(found: BpfMap, progress: Optional[Progress] = None) -> Tuple[bytes, bytes]:
    """All keys, and what belongs to them, each :attr:`BpfMap.stride` bytes; in the kernel's order."""
    all_keys, all_values = bytearray(), bytearray()
    for keys, values in _parts(found):
        all_keys += keys
        all_values += values
        if progress is not None:
            progress(len(keys) // found.info.key_size)
    return bytes(all_keys), bytes(all_values)


def count(found: BpfMap) -> int:
    """Entries; the kernel has to copy each of them."""
    return sum(len(keys) for keys, dummy in _parts(found)) // found.info.key_size


def _parts(found: BpfMap) -> Iterator[Tuple[memoryview, memoryview]]:
    """Keys and values of at most :data:`ROWS` entries, which the next part is written over."""
    look = function("bpf_map_lookup_batch", _FD, _FD, _PTR, _PTR, _PTR, _PTR, _COUNT, _PTR)
    size = min(ROWS, found.info.max_entries)
    keys = ctypes.create_string_buffer(found.info.key_size * size)
    values = ctypes.create_string_buffer(found.stride * size)
    # Hash maps keep a 32-bit bucket number in the token, other maps the last key.
    token = ctypes.create_string_buffer(max(found.info.key_size, 4))
    options, seen = BatchOptions(), None
    while True:
        number = ctypes.c_uint32(size)
        result = look(found.fd, seen, token, keys, values, ctypes.byref(number), ctypes.byref(options))
        if result not in (0, -errno.ENOENT):
            call(f"bpf_map_lookup_batch {found.name}", result)
        yield memoryview(keys)[: number.value * found.info.key_size], memoryview(values)[: number.value * found.stride]
        if result:
            return
        seen = token


def columns(found: BpfMap, values: bytes) -> List[bytes]:
    """What :func:`read` found, taken apart: each CPU's values one behind the other, without what pads them."""
    if not found.info.percpu:
        return [values]
    size, step = found.info.value_size, _step(found)
    taken = []
    for cpu in range(libbpf.possible_cpus()):
        column = bytearray(len(values) // found.stride * size)
        for byte in range(size):
            column[byte::size] = values[cpu * step + byte :: found.stride]
        taken.append(bytes(column))
    return taken


def _spread(found: BpfMap, values: Buffer, start: int, number: int) -> "_Memory":
    """The values of some rows as a per-CPU map takes them: byte for byte in as many copies as there are CPUs."""
    size, step = found.info.value_size, _step(found)
    part = memoryview(values)[start * size : (start + number) * size]
    spread = bytearray(number * found.stride)
    for cpu in range(libbpf.possible_cpus()):
        for byte in range(size):
            spread[cpu * step + byte :: found.stride] = part[byte::size]
    return _Memory(memoryview(spread))


def _step(found: BpfMap) -> int:
    return found.stride // libbpf.possible_cpus()


class _Memory:
    """Where a buffer lies; it stays there as long as this. Only a piece of immutable bytes has to be copied."""

    def __init__(self, buffer: Buffer) -> None:
        view = memoryview(buffer)
        if view.readonly or not view.nbytes:
            whole = buffer if isinstance(buffer, bytes) else bytes(view)
            self._kept: object = whole
            self.address = ctypes.cast(ctypes.c_char_p(whole), _PTR).value or 0
        else:
            memory = (ctypes.c_char * view.nbytes).from_buffer(view)
            self._kept = memory
            self.address = ctypes.addressof(memory)
