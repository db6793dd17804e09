# SPDX-License-Identifier: GPL-3.0-or-later
"""irqbalance, found running, and the interrupts that it is told to leave alone."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Sequence

import pytest

from wirespeed.model.settings import Setting, SettingFacts

from .manager_cases import IGB, claimed, told

DEVICE = "/sys/class/net/enp1s0/device/msi_irqs"
NAMES = {24: "enp1s0", 25: "enp1s0-TxRx-0", 26: "enp1s0-TxRx-1"}


def host(*arguments: str) -> Dict[str, str]:
    interrupts = {f"{DEVICE}/{number}": "msix" for number in NAMES}
    names = {f"/sys/kernel/irq/{number}/actions": f"{name}\n" for number, name in NAMES.items()}
    return {
        **interrupts,
        **names,
        "/run/irqbalance/irqbalance612.sock": "",
        "/proc/612/comm": "irqbalance\n",
        "/proc/612/cmdline": "\0".join(["/usr/sbin/irqbalance", *arguments, ""]),
        "/etc/default/irqbalance": "#IRQBALANCE_ARGS=\n",
    }


def test_it_claims_the_interrupts_of_every_nic(tmp_path: Path) -> None:
    (claim,) = claimed(tmp_path, host("--foreground"))
    assert told([claim]) == {"irq_affinity.cpus": None} and claim.active
    assert claim.origin == "/etc/default/irqbalance, runs as process 612"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--banirq=25", "--banirq=26"],
        ["-i", "25", "-i26"],
        ["--banirq", "25", "--banirq", "26"],
        ["--banmod=igb"],
        ["-m", "igb"],
    ],
)
def test_banned_queues_are_not_claimed(tmp_path: Path, arguments: Sequence[str]) -> None:
    assert claimed(tmp_path, host("--foreground", *arguments)) == []


@pytest.mark.parametrize("arguments", [["--banirq=25"], ["--banirq=24"], ["--banmod=ice"], ["--banirq=250"]])
def test_a_ban_of_something_else_changes_nothing(tmp_path: Path, arguments: Sequence[str]) -> None:
    assert len(claimed(tmp_path, host(*arguments))) == 1


def test_a_nic_without_such_interrupts_is_not_claimed(tmp_path: Path) -> None:
    assert claimed(tmp_path, {path: text for path, text in host().items() if not path.startswith(DEVICE)}) == []


def test_a_socket_that_a_killed_one_left_is_none(tmp_path: Path) -> None:
    assert claimed(tmp_path, {**host(), "/proc/612/comm": "bash\n"}) == []


def test_found_by_its_control_group_where_it_has_no_socket(tmp_path: Path) -> None:
    files = {path: text for path, text in host().items() if not path.startswith("/run")}
    group = {"/sys/fs/cgroup/system.slice/irqbalance.service/cgroup.procs": "612\n"}
    assert claimed(tmp_path, files) == []
    assert len(claimed(tmp_path, {**files, **group})) == 1


def test_interrupts_that_it_was_told_over_its_socket_are_not_claimed(tmp_path: Path) -> None:
    told_so = {**IGB.settings, Setting.IRQBALANCE: SettingFacts({"keeps-off": True})}
    assert claimed(tmp_path, host(), settings=told_so) == []
