# SPDX-License-Identifier: GPL-3.0-or-later
"""bpf/counts.bpf.c: the kernel's own count of a map's entries, without a look at any of them."""

from __future__ import annotations

from typing import Dict, Sequence

from ..kernel.bpf_iter import Iterator
from ..kernel.bpf_object import BpfObject

_UNKNOWN = (1 << 64) - 1


class Counts:
    """Of maps by their ids. Raises KernelRefusal where this kernel has no such iterators."""

    def __init__(self, code: bytes, ids: Sequence[int]) -> None:
        self._ids = ids
        with BpfObject(code, "counts") as loaded:
            loaded.resize("counts", max(1, len(ids)))
            loaded.load()
            dummy, self._counts = next(loaded.maps())
            dummy, program = next(loaded.programs())
            try:
                with program:
                    self._iterator = Iterator.create(program)
            except BaseException:
                self._counts.close()
                raise

    def read(self) -> Dict[int, int]:
        """Without those that this kernel does not count: a hash before Linux 6.6."""
        self._counts.update_many([(_number(each, 4), _number(_UNKNOWN, 8)) for each in self._ids])
        self._iterator.run()
        found = {each: int.from_bytes(self._counts.lookup(_number(each, 4)) or b"", "little") for each in self._ids}
        return {each: count for each, count in found.items() if count != _UNKNOWN}

    def close(self) -> None:
        self._iterator.close()
        self._counts.close()


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")
