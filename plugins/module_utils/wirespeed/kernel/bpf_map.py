# SPDX-License-Identifier: GPL-3.0-or-later
"""A BPF map by file descriptor: elements one by one, in batches, and per CPU.

Keys and values are bytes in the kernel's layout. A value of a per-CPU map is one value for each
possible CPU, each padded to 8 bytes (kernel/bpf/hashtab.c, arraymap.c).
"""

from __future__ import annotations

import ctypes
import errno
from dataclasses import dataclass
from typing import Iterator, List, Optional, Sequence, Tuple

from . import libbpf
from .libbpf import Handle, Options, call, fields, function

HASH, ARRAY, PROG_ARRAY, PERCPU_HASH, PERCPU_ARRAY, LRU_HASH, LRU_PERCPU_HASH, LPM_TRIE = 1, 2, 3, 5, 6, 9, 10, 11
ARRAY_OF_MAPS, HASH_OF_MAPS = 12, 13
MAPS_OF_MAPS = (ARRAY_OF_MAPS, HASH_OF_MAPS)
HASH_TYPES = (HASH, PERCPU_HASH, LRU_HASH, LRU_PERCPU_HASH)
PERCPU_TYPES = (5, 6, 10, 21)  # PERCPU_HASH, PERCPU_ARRAY, LRU_PERCPU_HASH, PERCPU_CGROUP_STORAGE
NO_COMMON_LRU = 1 << 1  # BPF_F_NO_COMMON_LRU, include/uapi/linux/bpf.h
BATCH = 4096
NOEXIST = 1

_FD = ctypes.c_int
_PTR = ctypes.c_void_p
_COUNT = ctypes.POINTER(ctypes.c_uint32)


class _Info(ctypes.Structure):
    """struct bpf_map_info, include/uapi/linux/bpf.h."""

    _fields_ = [
        ("type", ctypes.c_uint32),
        ("id", ctypes.c_uint32),
        ("key_size", ctypes.c_uint32),
        ("value_size", ctypes.c_uint32),
        ("max_entries", ctypes.c_uint32),
        ("map_flags", ctypes.c_uint32),
        ("name", ctypes.c_char * 16),
        ("ifindex", ctypes.c_uint32),
        ("btf_vmlinux_value_type_id", ctypes.c_uint32),
        ("netns_dev", ctypes.c_uint64),
        ("netns_ino", ctypes.c_uint64),
        ("btf_id", ctypes.c_uint32),
        ("btf_key_type_id", ctypes.c_uint32),
        ("btf_value_type_id", ctypes.c_uint32),
        ("btf_vmlinux_id", ctypes.c_uint32),
        ("map_extra", ctypes.c_uint64),
    ]


class _CreateOptions(Options):
    _fields_ = fields(
        ("btf_fd", ctypes.c_uint32),
        ("btf_key_type_id", ctypes.c_uint32),
        ("btf_value_type_id", ctypes.c_uint32),
        ("btf_vmlinux_value_type_id", ctypes.c_uint32),
        ("inner_map_fd", ctypes.c_uint32),
        ("map_flags", ctypes.c_uint32),
        ("map_extra", ctypes.c_uint64),
        ("numa_node", ctypes.c_uint32),
        ("map_ifindex", ctypes.c_uint32),
    )


class BatchOptions(Options):
    _fields_ = fields(("elem_flags", ctypes.c_uint64), ("flags", ctypes.c_uint64))


@dataclass(frozen=True)
class MapInfo:
    """``value_size`` is the size of one CPU's value; ``btf_id`` 0 means that it came without BTF."""

    id: int
    name: str
    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    btf_id: int
    btf_key_type_id: int
    btf_value_type_id: int

    @property
    def percpu(self) -> bool:
        return self.type in PERCPU_TYPES


class BpfMap(Handle):
    """Raises :class:`KernelRefusal` with the map's name from every operation that fails."""

    KIND = "bpf-map"
    _BY_ID = "bpf_map_get_fd_by_id"
    _known: Optional[MapInfo] = None

    @classmethod
    def create(
        cls,
        kind: int,
        name: str,
        sizes: Tuple[int, int],
        max_entries: int,
        inner: "Optional[BpfMap]" = None,
        flags: int = 0,
        types: "Optional[Tuple[Handle, int, int]]" = None,
    ) -> "BpfMap":
        """A new map, gone with its handle unless it is pinned; ``sizes`` of key and value in bytes.

        ``types``: loaded BTF, and in it the ids of key and value.
        """
        make = function("bpf_map_create", _FD, _FD, ctypes.c_char_p, *[ctypes.c_uint32] * 3, _PTR)
        options = _CreateOptions(inner_map_fd=inner.fd if inner else 0, map_flags=flags)
        if types is not None:
            options.btf_fd, options.btf_key_type_id, options.btf_value_type_id = types[0].fd, types[1], types[2]
        result = make(kind, name.encode(), sizes[0], sizes[1], max_entries, ctypes.byref(options))
        return cls(call(f"bpf_map_create {name}", result), name)

    @property
    def info(self) -> MapInfo:
        """Nothing in it changes during a map's life, so it is read once."""
        if self._known is None:
            raw = _Info()
            libbpf.object_info(self, raw)
            self._known = MapInfo(
                raw.id,
                raw.name.decode(),
                raw.type,
                raw.key_size,
                raw.value_size,
                raw.max_entries,
                raw.map_flags,
                raw.btf_id,
                raw.btf_key_type_id,
                raw.btf_value_type_id,
            )
        return self._known

    @property
    def stride(self) -> int:
        """Bytes that the kernel copies for one value: all CPUs' values of a per-CPU map."""
        size = self.info.value_size
        return (size + 7) // 8 * 8 * libbpf.possible_cpus() if self.info.percpu else size

    def lookup(self, key: bytes) -> Optional[bytes]:
        """None when the key is absent."""
        value = ctypes.create_string_buffer(self.stride)
        result = function("bpf_map_lookup_elem", _FD, _FD, _PTR, _PTR)(self.fd, key, value)
        if result == -errno.ENOENT:
            return None
        call(f"bpf_map_lookup_elem {self.name}", result)
        return value.raw

    def lookup_percpu(self, key: bytes) -> List[bytes]:
        """One value for each possible CPU; empty when the key is absent."""
        raw = self.lookup(key)
        return [] if raw is None else self.split(raw)

    def split(self, raw: bytes) -> List[bytes]:
        """The value of each possible CPU; the one value of a map that is not per CPU."""
        step = self.stride // self._copies
        return [raw[at : at + self.info.value_size] for at in range(0, len(raw), step)]

    def spread(self, value: bytes) -> bytes:
        """One CPU's value as :meth:`update` takes it: the same for every possible CPU."""
        return value.ljust(self.stride // self._copies, b"\0") * self._copies

    @property
    def _copies(self) -> int:
        return libbpf.possible_cpus() if self.info.percpu else 1

    def update(self, key: bytes, value: bytes, flags: int = 0) -> None:
        update = function("bpf_map_update_elem", _FD, _FD, _PTR, _PTR, ctypes.c_uint64)
        call(f"bpf_map_update_elem {self.name}", update(self.fd, key, value, flags))

    def insert(self, key: bytes, value: bytes) -> bool:
        """False when the key is there already."""
        update = function("bpf_map_update_elem", _FD, _FD, _PTR, _PTR, ctypes.c_uint64)
        result = update(self.fd, key, value, NOEXIST)
        if result == -errno.EEXIST:
            return False
        call(f"bpf_map_update_elem {self.name}", result)
        return True

    def delete(self, key: bytes) -> bool:
        """False when the key was absent already."""
        result = function("bpf_map_delete_elem", _FD, _FD, _PTR)(self.fd, key)
        if result == -errno.ENOENT:
            return False
        call(f"bpf_map_delete_elem {self.name}", result)
        return True

    def update_many(self, pairs: Sequence[Tuple[bytes, bytes]]) -> None:
        """Writes in batches; on a refusal the error says how many were written before it."""
        update = function("bpf_map_update_batch", _FD, _FD, _PTR, _PTR, _COUNT, _PTR)
        options = BatchOptions()
        for start in range(0, len(pairs), BATCH):
            chunk = pairs[start : start + BATCH]
            count = ctypes.c_uint32(len(chunk))
            keys = b"".join(key for key, dummy in chunk)
            values = b"".join(value for dummy, value in chunk)
            result = update(self.fd, keys, values, ctypes.byref(count), ctypes.byref(options))
            done = start + (count.value if result else len(chunk))
            call(f"bpf_map_update_batch {self.name} after {done} of {len(pairs)} entries", result)

    def delete_many(self, keys: Sequence[bytes]) -> None:
        """Absent keys are skipped: the kernel's batch stops at the first one (-ENOENT)."""
        delete = function("bpf_map_delete_batch", _FD, _FD, _PTR, _COUNT, _PTR)
        options = BatchOptions()
        at = 0
        while at < len(keys):
            chunk = keys[at : at + BATCH]
            count = ctypes.c_uint32(len(chunk))
            result = delete(self.fd, b"".join(chunk), ctypes.byref(count), ctypes.byref(options))
            if result == -errno.ENOENT:
                at += count.value + 1
                continue
            call(f"bpf_map_delete_batch {self.name}", result)
            at += len(chunk)

    def each(self) -> Iterator[Tuple[bytes, bytes]]:
        """All entries one by one: for small maps, and for maps of maps, which older kernels do not read in batches."""
        step = function("bpf_map_get_next_key", _FD, _FD, _PTR, _PTR)
        following = ctypes.create_string_buffer(self.info.key_size)
        key: Optional[bytes] = None
        while True:
            result = step(self.fd, key, following)
            if result == -errno.ENOENT:
                return
            call(f"bpf_map_get_next_key {self.name}", result)
            key = following.raw
            value = self.lookup(key)
            if value is not None:
                yield key, value

    def items(self) -> Iterator[Tuple[bytes, bytes]]:
        """All entries, in the kernel's order. Entries written meanwhile may or may not appear."""
        look = function("bpf_map_lookup_batch", _FD, _FD, _PTR, _PTR, _PTR, _PTR, _COUNT, _PTR)
        key_size, stride = self.info.key_size, self.stride
        size = min(BATCH, self.info.max_entries)
        keys = ctypes.create_string_buffer(key_size * size)
        values = ctypes.create_string_buffer(stride * size)
        # Hash maps keep a 32-bit bucket number in the token, other maps the last key.
        token = ctypes.create_string_buffer(max(key_size, 4))
        options, seen = BatchOptions(), None
        while True:
            count = ctypes.c_uint32(size)
            result = look(self.fd, seen, token, keys, values, ctypes.byref(count), ctypes.byref(options))
            if result not in (0, -errno.ENOENT):
                call(f"bpf_map_lookup_batch {self.name}", result)
            key_bytes, value_bytes = keys.raw, values.raw
            for i in range(count.value):
                yield key_bytes[i * key_size : (i + 1) * key_size], value_bytes[i * stride : (i + 1) * stride]
            if result:
                return
            seen = token
