# SPDX-License-Identifier: GPL-3.0-or-later
"""Coalescing of single queues: the bytes of ETHTOOL_PERQUEUE, and what values become."""

from __future__ import annotations

import errno
import struct
from typing import Any, Dict, List

import pytest

from wirespeed.errors import KernelRefusal, NotSupported, OutOfRange
from wirespeed.kernel import ethtool_netlink, ethtool_parameters, ethtool_queue_coalesce
from wirespeed.kernel.ethtool_netlink import Sizes
from wirespeed.kernel.port import Port
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.nic import queue_coalesce

PORT = Port("eth1", 7)
HEAD = struct.Struct("=II128I")  # struct ethtool_per_queue_op
QUEUE = struct.Struct("=23I")  # struct ethtool_coalesce
RX_USECS, TX_USECS, ADAPTIVE_RX = 1, 5, 10


class QueueKernel:
    """``queues`` holds the 23 numbers of each. Moderation runs as ice does it: the time is then its own."""

    def __init__(self, count: int = 4, supported: bool = True) -> None:
        self.supported = supported
        self.queues = [[0x0E, *[0] * 22] for dummy in range(count)]
        self.written: List[Dict[int, List[int]]] = []
        for queue in self.queues:
            queue[RX_USECS], queue[TX_USECS] = 50, 100

    def __call__(self, name: str, command: str, data: bytes) -> bytes:
        word, sub, *mask = HEAD.unpack_from(data)
        assert word == 0x4B
        if not self.supported:
            raise NotSupported(f"ethtool {command} {name}")
        numbers = [queue for queue in range(4096) if mask[queue // 32] >> queue % 32 & 1]
        if any(number >= len(self.queues) for number in numbers):
            raise KernelRefusal(command, errno.EINVAL)
        if sub == 0x0E:
            return data[: HEAD.size] + b"".join(QUEUE.pack(*self.queues[number]) for number in numbers)
        parts = {number: list(QUEUE.unpack_from(data, HEAD.size + i * QUEUE.size)) for i, number in enumerate(numbers)}
        self.written.append(parts)
        for number, values in parts.items():
            assert values[0] == 0x0F
            self.queues[number] = [0x0E, *values[1:]]
        return data


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> QueueKernel:
    made = QueueKernel()
    monkeypatch.setattr(ethtool_queue_coalesce, "call", made)
    monkeypatch.setattr(ethtool_netlink, "channels", lambda port: Sizes({"combined": len(made.queues), "other": 1}, {}))
    known = {"adaptive-rx": False, "adaptive-tx": False, "rx-usecs": 50, "tx-usecs": 100, "cqe-mode-rx": False}
    monkeypatch.setattr(ethtool_parameters, "read", lambda *each: known)
    return made


def facts(queues: int = 4, **values: Any) -> SettingFacts:
    held = {"adaptive-rx": False, "adaptive-tx": False, "rx-usecs": 50, "rx-frames": 8, "tx-usecs": 100}
    held.update({key.replace("_", "-"): value for key, value in values.items()})
    return SettingFacts(held, derived={"queues": queues})


def settled(want: Dict[str, Any], planned: Any = None, **parts: Any) -> Any:
    return queue_coalesce.settle(facts(**parts), want, planned or {})


def test_a_driver_without_it_costs_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: List[str] = []
    made = QueueKernel(supported=False)
    monkeypatch.setattr(ethtool_queue_coalesce, "call", lambda *each: (calls.append(each[1]), made(*each))[1])
    with pytest.raises(NotSupported):
        queue_coalesce.read(PORT)
    assert calls == ["PERQUEUE GCOALESCE"]


def test_what_is_the_same_everywhere_reads_as_one_value(kernel: QueueKernel) -> None:
    read = queue_coalesce.read(PORT)
    assert read.values == {"adaptive-rx": False, "adaptive-tx": False, "rx-usecs": 50, "tx-usecs": 100}
    assert read.derived == {"queues": 4}


def test_what_differs_reads_queue_by_queue(kernel: QueueKernel) -> None:
    kernel.queues[2][RX_USECS] = 8
    assert queue_coalesce.read(PORT).values["rx-usecs"] == (50, 50, 8, 50)


def test_what_moderation_moves_everywhere_is_no_setting(kernel: QueueKernel) -> None:
    for number, queue in enumerate(kernel.queues):
        queue[ADAPTIVE_RX], queue[RX_USECS] = 1, 10 + number
    read = queue_coalesce.read(PORT)
    assert (read.values["adaptive-rx"], read.floating) == (True, {"rx-usecs"})


def test_what_moderation_moves_on_some_queues_reads_0_there(kernel: QueueKernel) -> None:
    kernel.queues[1][ADAPTIVE_RX], kernel.queues[1][RX_USECS] = 1, 33
    read = queue_coalesce.read(PORT)
    assert (read.values["adaptive-rx"], read.values["rx-usecs"]) == ((False, True, False, False), (50, 0, 50, 50))
    assert read.floating == frozenset()


@pytest.mark.parametrize(
    ("want", "becomes"),
    [
        ({"rx-usecs": 20}, {"rx-usecs": 20}),
        ({"rx-usecs": (20, 20, 20, 20)}, {"rx-usecs": 20}),
        ({"rx-usecs": (20, 20, 8, 8)}, {"rx-usecs": (20, 20, 8, 8)}),
        ({"adaptive-rx": True, "rx-usecs": 20}, {"adaptive-rx": True}),
        (
            {"adaptive-rx": (True, False, False, False), "rx-usecs": 20},
            {"adaptive-rx": (True, False, False, False), "rx-usecs": (0, 20, 20, 20)},
        ),
    ],
)
def test_a_wish_becomes_what_will_be_read(want: Any, becomes: Any) -> None:
    assert settled(want) == becomes


def test_a_fixed_time_turns_moderation_off() -> None:
    for running in (True, (True, False, False, False)):
        assert settled({"rx-usecs": 20}, adaptive_rx=running) == {"rx-usecs": 20, "adaptive-rx": False}
    assert settled({"tx-usecs": 20}, adaptive_rx=True) == {"tx-usecs": 20}


def test_a_list_is_for_the_queues_that_there_will_be() -> None:
    planned = {Setting.CHANNELS: {"combined": 2}}
    assert settled({"rx-usecs": (1, 2)}, planned) == {"rx-usecs": (1, 2)}
    with pytest.raises(OutOfRange) as caught:
        settled({"rx-usecs": (1, 2, 3, 4)}, planned)
    assert "or 2: one for each, not 4" in caught.value.allowed


@pytest.mark.parametrize("want", [{"rx-usecs": -1}, {"rx-usecs": (1, 2, 3, True)}, {"adaptive-rx": 1}, {"rx-frame": 1}])
def test_what_is_no_value_is_refused(want: Any) -> None:
    with pytest.raises(OutOfRange):
        settled(want)


def test_only_queues_that_differ_are_written_with_all_else_as_it_is(kernel: QueueKernel) -> None:
    kernel.queues[3][RX_USECS] = 8
    queue_coalesce.write(PORT, {"rx-usecs": (50, 8, 50, 8)})
    (written,) = kernel.written
    assert list(written) == [1]
    assert (written[1][RX_USECS], written[1][TX_USECS]) == (8, 100)


def test_moderation_is_switched_before_the_times(kernel: QueueKernel) -> None:
    for queue in kernel.queues:
        queue[ADAPTIVE_RX] = 1
    queue_coalesce.write(PORT, {"rx-usecs": (20, 21, 22, 23), "adaptive-rx": False})
    first, second = kernel.written
    assert {values[ADAPTIVE_RX] for values in first.values()} == {0}
    assert [values[RX_USECS] for values in second.values()] == [20, 21, 22, 23]


def test_queues_under_moderation_keep_their_own_time(kernel: QueueKernel) -> None:
    queue_coalesce.write(PORT, {"adaptive-rx": (True, False, False, False), "rx-usecs": (0, 20, 20, 20)})
    assert [queue[RX_USECS] for queue in kernel.queues] == [50, 20, 20, 20]
    assert queue_coalesce.read(PORT).values["rx-usecs"] == (0, 20, 20, 20)


def test_an_undo_meets_other_queues_than_there_were(kernel: QueueKernel) -> None:
    queue_coalesce.write(PORT, {"rx-usecs": (1, 2)})
    have = queue_coalesce.read(PORT).values["rx-usecs"]
    assert have == (1, 2, 50, 50)
    assert queue_coalesce.same(have, (1, 2)) and queue_coalesce.same(7, (7, 7)) and not queue_coalesce.same(7, (7, 8))


def test_a_mask_names_each_queue() -> None:
    assert ethtool_queue_coalesce._mask([0, 31, 32, 4095])[:2] == [1 << 31 | 1, 1]
    assert ethtool_queue_coalesce._mask([4095])[127] == 1 << 31
