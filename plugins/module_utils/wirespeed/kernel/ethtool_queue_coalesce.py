# SPDX-License-Identifier: GPL-3.0-or-later
"""Interrupt coalescing of single queues over the ioctl ETHTOOL_PERQUEUE, which has no netlink (Linux 7.2).

Layouts from include/uapi/linux/ethtool.h, struct ethtool_per_queue_op and struct ethtool_coalesce.
"""

from __future__ import annotations

import struct
from typing import Dict, List, Mapping, Sequence, Union

from .ethtool_ioctl import call

_GCOALESCE, _SCOALESCE, _PERQUEUE = 0x0E, 0x0F, 0x4B
_MASK_WORDS = 4096 // 32  # MAX_NUM_QUEUE
_HEAD = struct.Struct(f"=II{_MASK_WORDS}I")
_COALESCE = struct.Struct("=23I")

KEYS = (
    "rx-usecs",
    "rx-frames",
    "rx-usecs-irq",
    "rx-frames-irq",
    "tx-usecs",
    "tx-frames",
    "tx-usecs-irq",
    "tx-frames-irq",
    "stats-block-usecs",
    "adaptive-rx",
    "adaptive-tx",
    "pkt-rate-low",
    "rx-usecs-low",
    "rx-frames-low",
    "tx-usecs-low",
    "tx-frames-low",
    "pkt-rate-high",
    "rx-usecs-high",
    "rx-frames-high",
    "tx-usecs-high",
    "tx-frames-high",
    "sample-interval",
)
"""In the order of struct ethtool_coalesce; a switch is a number there."""

SWITCHES = ("adaptive-rx", "adaptive-tx")

Queue = Dict[str, Union[int, bool]]


def read(name: str, queues: int) -> List[Queue]:
    """The values of queues 0 to ``queues`` - 1.

    Raises :class:`~..errors.NotSupported` where the driver has none, and :class:`~..errors.KernelRefusal`
    (EINVAL) for a queue that there is not.
    """
    head = _HEAD.pack(_PERQUEUE, _GCOALESCE, *_mask(range(queues)))
    answer = call(name, "PERQUEUE GCOALESCE", head + bytes(queues * _COALESCE.size))
    return [_values(answer, _HEAD.size + queue * _COALESCE.size) for queue in range(queues)]


def write(name: str, values: Mapping[int, Queue]) -> None:
    """All keys of each queue given. The kernel gives back what the queues had when one is refused."""
    if not values:
        return
    numbers = sorted(values)
    head = _HEAD.pack(_PERQUEUE, _SCOALESCE, *_mask(numbers))
    body = b"".join(_COALESCE.pack(_SCOALESCE, *(int(values[number][key]) for key in KEYS)) for number in numbers)
    call(name, "PERQUEUE SCOALESCE", head + body)


def _mask(queues: Sequence[int]) -> List[int]:
    words = [0] * _MASK_WORDS
    for queue in queues:
        words[queue // 32] |= 1 << queue % 32
    return words


def _values(answer: bytes, offset: int) -> Queue:
    numbers = _COALESCE.unpack_from(answer, offset)[1:]
    return {key: bool(number) if key in SWITCHES else number for key, number in zip(KEYS, numbers)}
