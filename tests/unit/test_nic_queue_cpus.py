# SPDX-License-Identifier: GPL-3.0-or-later
"""CPUs of queues: notations, the words for common lists, and which interrupt is whose."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import pytest

from wirespeed.errors import OutOfRange
from wirespeed.kernel import cpus, interrupts
from wirespeed.kernel.cpus import list_text, mask_of, mask_text
from wirespeed.kernel.host import cpu_list
from wirespeed.kernel.interrupts import queue_of
from wirespeed.model.settings import Setting
from wirespeed.nic import irq_affinity, queue_cpus
from wirespeed.nic.queue_cpus import Queues
from wirespeed.nic.queue_masks import RPS, XPS


@pytest.mark.parametrize("text", ["", "0", "0-2,8", "1,3,5", "63-65"])
def test_lists_of_cpus_are_read_and_written_alike(text: str) -> None:
    assert list_text(cpu_list(text)) == text


@pytest.mark.parametrize(
    ("mask", "members"), [("0", set()), ("f", {0, 1, 2, 3}), ("00000001,00000003", {0, 1, 32}), ("80000000", {31})]
)
def test_masks_are_read_in_words_of_32_bits(mask: str, members: Any) -> None:
    assert mask_of(mask) == members == mask_of(mask_text(members))


class Machine:
    """Two memory nodes of two cores with two threads each: an even CPU and the next are one core."""

    def __init__(self, folder: Path) -> None:
        self.cpu, self.numa = folder / "cpu", folder / "node"
        for number in range(8):
            topology = self.cpu / f"cpu{number}" / "topology"
            topology.mkdir(parents=True)
            (topology / "thread_siblings_list").write_text(f"{number & ~1}-{number | 1}\n")
        for node, members in enumerate(("0-3", "4-7")):
            (self.numa / f"node{node}").mkdir(parents=True)
            (self.numa / f"node{node}" / "cpulist").write_text(members)
        self.online("0-7")

    def online(self, members: str) -> None:
        (self.cpu / "online").write_text(f"{members}\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setattr(cpus, "_CPU", made.cpu)
    monkeypatch.setattr(cpus, "_NUMA", made.numa)
    cpus._by_distance.cache_clear()
    return made


@pytest.mark.usefixtures("machine")
def test_near_cpus_come_first_and_of_each_core_one_thread_before_any_second() -> None:
    assert cpus.by_distance(1) == ((4, 6, 5, 7), (4, 6, 5, 7, 0, 2, 1, 3))
    assert cpus.by_distance(-1)[0] == (0, 2, 4, 6, 1, 3, 5, 7)


def test_only_running_cpus_are_used(machine: Machine) -> None:
    machine.online("0-1,5-6")
    assert cpus.by_distance(1) == ((6, 5), (6, 5, 0, 1))
    machine.online("0-1")
    assert cpus.by_distance(1)[0] == (0, 1)


NEAR, RUNNING = (0, 1), (0, 1, 2, 3)


def one_each(count: int) -> Queues:
    return queue_cpus.one_each(count, NEAR)


def shared(count: int) -> Queues:
    return queue_cpus.all_shared(count, RUNNING)


def interrupts_of(*queues: Any) -> Any:
    return queue_cpus.facts_of([list(queue) for queue in queues], one_each, NEAR, RUNNING)


def masks(*queues: Any) -> Any:
    return queue_cpus.facts_of([[queue] for queue in queues], shared, NEAR, RUNNING)


def value(facts: Any) -> Any:
    return facts.values["cpus"]


def test_interrupts_that_lie_as_spread_would_lay_them_read_as_the_word() -> None:
    assert value(interrupts_of([{0}], [{1}], [{0}])) == "spread"
    assert value(interrupts_of([{0}], [{1}], [{2}])) == "0 1 2"


def test_queue_with_two_interrupts_on_one_cpu_is_as_one() -> None:
    assert value(interrupts_of([{0}, {0}], [{1}, {1}])) == "spread"
    assert value(interrupts_of([{0}, {1}], [{1}, {1}])) == "0/1 1"


def test_every_running_cpu_sends_through_one_queue() -> None:
    assert value(masks({0, 2}, {1, 3})) == "spread"
    assert value(masks({0}, {1})) == "0 1"
    assert value(masks({0}, {1}, {2}, {3}, set())) == "spread"
    assert value(masks(set(), set())) == "none"
    assert value(masks({0}, set())) == "0 -"


PLANNED: Dict[Setting, Any] = {Setting.CHANNELS: {"combined": 3, "rx": 1}}


@pytest.mark.parametrize(
    ("want", "settled"),
    [
        ("spread", "spread"),
        ("0 1", "spread"),
        ("1 0", "1 0"),
        ("0-1 2,3", "0-1 2-3"),
        ("0 1 0 1", "spread"),
        ("3 3 3 3", "3 3 3 3"),
    ],
)
def test_list_for_the_queues_present_or_planned_is_settled(want: str, settled: str) -> None:
    assert irq_affinity.settle(interrupts_of([{0}], [{0}]), {"cpus": want}, PLANNED) == {"cpus": settled}


@pytest.mark.parametrize("want", ["0", "0 1 2", "0 4", "none", "- -", "0,a 1", "0-", "all"])
def test_impossible_list_says_which_cpus_and_queues_there_are(want: str) -> None:
    with pytest.raises(OutOfRange, match="spread, or for each of 2 or 4 queues some of the CPUs 0-3"):
        irq_affinity.settle(interrupts_of([{0}], [{0}]), {"cpus": want}, PLANNED)


@pytest.mark.parametrize(("room", "count"), [(XPS, 3), (RPS, 4)])
def test_masks_are_for_the_planned_queues_of_their_direction(room: Any, count: int) -> None:
    facts = masks({0})
    assert room.settle(facts, {"cpus": " ".join(["-"] * count)}, PLANNED) == {"cpus": "none"}
    with pytest.raises(OutOfRange, match=f"1 or {count} queues"):
        room.settle(facts, {"cpus": "0 1 2 3 0"}, PLANNED)


def test_other_key_is_told_that_there_is_one() -> None:
    with pytest.raises(OutOfRange, match="only 'cpus'"):
        XPS.settle(masks({0}), {"queues": "spread"}, {})


def test_list_of_before_more_queues_agrees_with_what_it_can_give_back() -> None:
    assert queue_cpus.same("0-1 0-1 0 1", "0-1 0-1")
    assert not queue_cpus.same("spread", "0-1 0-1")


NAMES: Tuple[Tuple[str, Optional[int]], ...] = (
    ("eth1-TxRx-3", 3),  # igb, igc, ixgbe, bnxt
    ("eth1-rx-0", 0),
    ("eth1-tx-12", 12),
    ("i40e-eth1-TxRx-7", 7),
    ("ice-eth1-TxRx-0", 0),
    ("eth1-Tx-Rx-2", 2),  # ena
    ("eth1-rxtx-1", 1),  # vmxnet3, nfp
    ("eth1-txrx-1", 1),  # tg3
    ("eth1-fp-4", 4),  # qede
    ("eth1-5", 5),  # sfc
    ("virtio0-input.2", 2),
    ("virtio0-output.2", 2),
    ("mlx5_comp11@pci:0000:01:00.0", 11),
    ("mlx4-9@0000:01:00.0", 9),
    ("mana_q6@pci:7870:00:00.0", 6),
    ("gve-ntfy-blk3@pci:0000:00:04.0", 3),
    ("eth1", None),  # igb's link changes
    ("virtio0-config", None),
    ("vmxnet3-event-2", None),
    ("mlx5_async0@pci:0000:01:00.0", None),
    ("ice-0000:01:00.0:misc", None),
    ("i40e-0000:01:00.0:misc", None),
    ("ena-mgmnt@pci:0000:00:05.0", None),
    ("gve-mgmnt@pci:0000:00:04.0", None),
    ("mana_hwc@pci:7870:00:00.0", None),
    ("", None),
)


@pytest.mark.parametrize(("name", "queue"), NAMES)
def test_interrupts_of_queues_are_told_from_others_by_the_drivers_names(name: str, queue: Optional[int]) -> None:
    assert queue_of("eth1", name) == queue


@pytest.fixture
def virtio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders as of a virtio NIC with two queues: its vectors belong to the PCI function below the device."""
    net, device = tmp_path / "net/eth1", tmp_path / "pci/virtio0"
    for folder in (net, device, tmp_path / "pci/msi_irqs"):
        folder.mkdir(parents=True)
    (net / "device").symlink_to(device)
    names = ("virtio0-config", "virtio0-input.0", "virtio0-output.0", "virtio0-input.1", "virtio0-output.1")
    for number, name in enumerate(names, start=30):
        (tmp_path / f"pci/msi_irqs/{number}").write_text("msix\n")
        (tmp_path / f"irq/{number}").mkdir(parents=True)
        (tmp_path / f"irq/{number}/actions").write_text(f"{name}\n")
        (tmp_path / f"proc/{number}").mkdir(parents=True)
        (tmp_path / f"proc/{number}/smp_affinity_list").write_text("0-3\n")
    monkeypatch.setattr(interrupts, "_IRQ", tmp_path / "irq")
    monkeypatch.setattr(interrupts, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(interrupts, "folder", lambda _port: net)
    monkeypatch.setattr(irq_affinity.netdev_sysfs, "numa_node", lambda _port: -1)
    monkeypatch.setattr(irq_affinity.cpus, "by_distance", lambda _node: (NEAR, RUNNING))
    return tmp_path / "proc"


def placed(proc: Path) -> Dict[str, str]:
    return {file.parent.name: file.read_text().strip() for file in sorted(proc.glob("*/smp_affinity_list"))}


def test_both_interrupts_of_a_virtio_queue_go_to_its_cpu_and_the_others_stay(virtio: Path) -> None:
    port: Any = type("Port", (), {"name": "eth1"})
    assert irq_affinity.read(port).values == {"cpus": "0-3 0-3"}
    irq_affinity.write(port, {"cpus": "spread"})
    assert placed(virtio) == {"30": "0-3", "31": "0", "32": "0", "33": "1", "34": "1"}
    assert irq_affinity.read(port).values == {"cpus": "spread"}
    irq_affinity.write(port, {"cpus": "2/3"})
    assert placed(virtio) == {"30": "0-3", "31": "2", "32": "3", "33": "1", "34": "1"}
