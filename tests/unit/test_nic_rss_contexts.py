# SPDX-License-Identifier: GPL-3.0-or-later
"""Additional RSS contexts: their texts, and the ioctls as net/ethtool/ioctl.c answers them."""

from __future__ import annotations

import errno
import struct
from typing import Any, Dict, List, Optional, Tuple

import pytest

from wirespeed.errors import KernelRefusal, NotSupported, OutOfRange
from wirespeed.kernel import ethtool_rss
from wirespeed.kernel.port import Port
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.nic import rss_contexts

PORT = Port("eth1", 7)
HEAD = struct.Struct("=IIIIBBBBI")  # struct ethtool_rxfh
KEY = bytes(range(4))
NEW, KEEP = 0xFFFFFFFF, 0xFFFFFFFF


class ContextKernel:
    """The default context 0 of eight buckets over four queues, and others in ``tables`` by id."""

    def __init__(self, room: int = 4, supported: bool = True) -> None:
        self.room, self.supported = room, supported
        self.tables: Dict[int, Tuple[int, ...]] = {0: (0, 1, 2, 3) * 2}
        self.busy: Optional[int] = None
        self.sent: List[Tuple[int, int, int]] = []

    def __call__(self, name: str, command: str, data: bytes) -> bytes:
        if command == "GRXRINGS":
            return struct.pack("=IIQ", 0x2D, 0, 4) + data[16:]
        word, context, size = HEAD.unpack_from(data)[:3]
        if context and not self.supported:
            raise NotSupported(f"ethtool {command} {name}")
        return self._get(data, command) if word == 0x46 else self._set(data, command, context, size)

    def _get(self, data: bytes, command: str) -> bytes:
        context, wanted = HEAD.unpack_from(data)[1:3]
        if context not in self.tables:
            raise KernelRefusal(command, errno.ENOENT)
        head = HEAD.pack(0x46, context, 8, len(KEY), 1, 0, 0, 0, 0)
        return head + (struct.pack("=8I", *self.tables[context]) + KEY if wanted else b"")

    def _set(self, data: bytes, command: str, context: int, size: int) -> bytes:
        if size not in (0, 8, KEEP):
            raise KernelRefusal(command, errno.EINVAL)
        self.sent.append((context, size, HEAD.unpack_from(data)[3]))
        if size == 0:
            if context == self.busy:
                raise KernelRefusal(command, errno.EBUSY)
            del self.tables[context]
            return data
        if context == NEW:
            if len(self.tables) > self.room:
                raise KernelRefusal(command, errno.ENOSPC)
            context = min(set(range(1, 99)) - set(self.tables))
        self.tables[context] = struct.unpack_from("=8I", data, HEAD.size)
        return data


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> ContextKernel:
    made = ContextKernel()
    monkeypatch.setattr(ethtool_rss, "call", made)
    return made


def held() -> Any:
    return rss_contexts.read(PORT).values["contexts"]


FACTS = SettingFacts({"contexts": ()}, {"contexts": 3}, derived={"buckets": 8})


def settled(*contexts: str, planned: Any = None) -> Any:
    return rss_contexts.settle(FACTS, {"contexts": contexts}, planned or {})["contexts"]


def test_a_driver_without_contexts_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ContextKernel(supported=False)
    calls: List[str] = []
    monkeypatch.setattr(ethtool_rss, "call", lambda *each: (calls.append(each[1]), made(*each))[1])
    with pytest.raises(NotSupported):
        rss_contexts.read(PORT)
    assert len(calls) == 1 and calls[0].startswith("SRSSH")


def test_the_question_changes_nothing(kernel: ContextKernel) -> None:
    before = dict(kernel.tables)
    assert held() == ()
    assert (kernel.tables, kernel.sent) == (before, [])


def test_contexts_are_read_by_id_whatever_the_ids_are(kernel: ContextKernel) -> None:
    kernel.tables.update({9: (0, 1) * 4, 2: (2, 3) * 4})
    read = rss_contexts.read(PORT)
    assert read.values == {"contexts": ("queues 2-3", "queues 0-1")}
    assert (read.maxima, read.derived) == ({"contexts": 3}, {"buckets": 8})


@pytest.mark.parametrize(
    ("written", "text", "table"),
    [
        ("queues 2-3", "queues 2-3", (2, 3) * 4),
        ("queues 2 3", "queues 2-3", (2, 3) * 4),
        ("queues 3,1", "queues 3 1", (3, 1) * 4),
        ("equal", "queues 0-3", (0, 1, 2, 3) * 2),
        ("equal 2", "queues 0-1", (0, 1) * 4),
        ("weights 0 0 1 1", "weights 0 0 1 1", (2, 2, 2, 2, 3, 3, 3, 3)),
        ("weights 2 4 2", "weights 1 2 1", (0, 0, 1, 1, 1, 1, 2, 2)),
        ("weights 0 0 1", "queues 2", (2,) * 8),
        ("table 0 1 1 0 3 3 2 2", "table 0-1 1 0 3 3 2 2", (0, 1, 1, 0, 3, 3, 2, 2)),
        ("queues 2 2 3", "table 2 2-3 2 2-3 2 2", (2, 2, 3, 2, 2, 3, 2, 2)),
    ],
)
def test_a_table_has_one_text(written: str, text: str, table: Tuple[int, ...]) -> None:
    assert rss_contexts.parsed(written, 8, 4) == table
    assert settled(written) == (text,) == settled(text)
    assert rss_contexts.parsed(text, 8, 4) == table


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("queues 2-4", "0 to 3"),
        ("queues", "'queues 2-3'"),
        ("queues 3-2", "'queues 2-3'"),
        ("queues two", "'queues 2-3'"),
        ("table 0 1", "a table of 8"),
        ("equal 5", "1 to 4"),
        ("weights 0", "1 to 8"),
        ("spread", "'queues 2-3'"),
        ("", "'queues 2-3'"),
    ],
)
def test_what_is_no_table_is_refused(text: str, said: str) -> None:
    with pytest.raises(OutOfRange) as caught:
        settled(text)
    assert said in caught.value.allowed


def test_queues_count_as_they_will_be() -> None:
    planned = {Setting.CHANNELS: {"combined": 8}}
    assert settled("queues 6-7", planned=planned) == ("queues 6-7",)
    with pytest.raises(OutOfRange):
        settled("queues 2-3", planned={Setting.CHANNELS: {"combined": 2}})


def test_a_new_context_is_made_with_its_table_and_the_default_key(kernel: ContextKernel) -> None:
    rss_contexts.write(PORT, {"contexts": ("queues 2-3", "weights 0 0 1 1")})
    assert held() == ("queues 2-3", "weights 0 0 1 1")
    assert kernel.sent == [(NEW, 8, 0), (NEW, 8, 0)]
    assert kernel.tables[0] == (0, 1, 2, 3) * 2


def test_a_context_is_changed_in_place(kernel: ContextKernel) -> None:
    kernel.tables.update({1: (0, 1) * 4, 2: (2, 3) * 4})
    rss_contexts.write(PORT, {"contexts": ("queues 0-1", "queues 3")})
    assert (held(), kernel.sent) == (("queues 0-1", "queues 3"), [(2, 8, 0)])


def test_the_last_ones_go(kernel: ContextKernel) -> None:
    kernel.tables.update({1: (0, 1) * 4, 2: (2, 3) * 4, 5: (1,) * 8})
    rss_contexts.write(PORT, {"contexts": ("queues 2-3",)})
    assert held() == ("queues 2-3",)
    assert [context for context, size, _key in kernel.sent if size == 0] == [5, 2]


def test_a_hole_among_the_ids_does_not_change_what_comes_out(kernel: ContextKernel) -> None:
    kernel.tables[4] = (2, 3) * 4
    wanted = ("queues 2-3", "queues 0")
    rss_contexts.write(PORT, {"contexts": wanted})
    assert held() == wanted


def test_a_context_that_a_rule_needs_is_told(kernel: ContextKernel) -> None:
    kernel.tables[1], kernel.busy = (0, 1) * 4, 1
    with pytest.raises(KernelRefusal) as caught:
        rss_contexts.write(PORT, {"contexts": ()})
    assert "ntuple" in caught.value.remedy and "EBUSY" in caught.value.problem


def test_no_room_for_another_is_told(kernel: ContextKernel) -> None:
    kernel.room = 1
    with pytest.raises(KernelRefusal) as caught:
        rss_contexts.write(PORT, {"contexts": ("queues 0", "queues 1")})
    assert "ENOSPC" in caught.value.problem and "fewer" in caught.value.remedy
