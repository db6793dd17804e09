# SPDX-License-Identifier: GPL-3.0-or-later
"""A table's rows as the kernel's batch calls take them: all keys one behind the other, and all values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Tuple, Union

Buffer = Union[bytes, memoryview]


@dataclass(frozen=True)
class Packed:
    """``key_size`` and ``value_size`` in bytes, a value for one CPU. ``keys`` and ``values`` have no padding between
    rows; row n is the n-th of both. Rows stand in the table's order and no key stands twice.

    Construction raises ValueError when the buffers do not hold whole rows, or not equally many.
    """

    key_size: int
    value_size: int
    keys: Buffer = b""
    values: Buffer = b""

    def __post_init__(self) -> None:
        if self.key_size < 1 or self.value_size < 0:
            raise ValueError(f"keys of {self.key_size} bytes and values of {self.value_size}")
        if len(self.keys) % self.key_size or len(self.values) != self.count * self.value_size:
            raise ValueError(f"{len(self.keys)} bytes of keys and {len(self.values)} bytes of values are no rows")

    @property
    def count(self) -> int:
        return len(self.keys) // self.key_size

    def items(self) -> Iterator[Tuple[bytes, bytes]]:
        """Key and value of each row."""
        for at in range(self.count):
            yield (
                bytes(self.keys[at * self.key_size : (at + 1) * self.key_size]),
                bytes(self.values[at * self.value_size : (at + 1) * self.value_size]),
            )
