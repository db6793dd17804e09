# SPDX-License-Identifier: GPL-3.0-or-later
"""The number of VFs, against files that answer as the kernel's do (drivers/pci/iov.c sriov_numvfs_store)."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any, List

import pytest

from wirespeed.errors import KernelRefusal, NotSupported, OutOfRange
from wirespeed.kernel import netdev_sysfs
from wirespeed.kernel.port import Port
from wirespeed.nic import sriov

PORT = Port("eth1", 7)


class Function:
    """A PCI function with ``total`` VFs of which its driver makes at most ``most``; VFs in use cannot be removed."""

    def __init__(self, folder: Path, total: int) -> None:
        self.device = folder / PORT.name / "device"
        self.device.mkdir(parents=True)
        (folder / PORT.name / "ifindex").write_text(str(PORT.ifindex), encoding="ascii")
        (self.device / "sriov_totalvfs").write_text(str(total), encoding="ascii")
        self.most, self.in_use = total, False
        self.writes: List[int] = []
        self.count(0)

    def count(self, vfs: int) -> None:
        (self.device / "sriov_numvfs").write_text(f"{vfs}\n", encoding="ascii")

    @property
    def vfs(self) -> int:
        return int((self.device / "sriov_numvfs").read_text(encoding="ascii"))

    def store(self, _port: Port, _name: str, value: int) -> None:
        self.writes.append(value)
        if value and self.vfs:
            raise KernelRefusal("write", errno.EBUSY)
        if value == 0 and self.in_use:
            raise KernelRefusal("write", errno.EPERM, remedy="Run as root (CAP_NET_ADMIN is needed).")
        if value > self.most:
            raise KernelRefusal("write", errno.ENOMEM)
        self.count(value)


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Function:
    made = Function(tmp_path, 7)
    monkeypatch.setattr(netdev_sysfs, "_NET", tmp_path)
    monkeypatch.setattr(netdev_sysfs, "set_number", made.store)
    return made


def test_the_number_and_its_maximum_are_read(function: Function) -> None:
    function.count(3)
    facts = sriov.read(PORT)
    assert (facts.values, facts.maxima) == ({"vfs": 3}, {"vfs": 7})


def test_a_function_without_the_capability_has_no_such_setting(function: Function) -> None:
    (function.device / "sriov_totalvfs").unlink()
    with pytest.raises(NotSupported, match="not here"):
        sriov.read(PORT)


def test_a_function_that_may_have_none_says_so(function: Function) -> None:
    (function.device / "sriov_totalvfs").write_text("0", encoding="ascii")
    with pytest.raises(NotSupported, match="SR-IOV is off in the firmware or the driver"):
        sriov.read(PORT)


@pytest.mark.parametrize("vfs", [8, -1, True, "all"])
def test_more_than_there_can_be_is_refused(function: Function, vfs: Any) -> None:
    with pytest.raises(OutOfRange, match="0 to 7"):
        sriov.settle(sriov.read(PORT), {"vfs": vfs}, {})


@pytest.mark.parametrize(
    ("before", "wanted", "writes"), [(0, 2, [2]), (2, 0, [0]), (2, 5, [0, 5]), (2, 2, []), (0, 0, [])]
)
def test_none_come_between_one_number_and_another(
    function: Function, before: int, wanted: int, writes: List[int]
) -> None:
    function.count(before)
    sriov.write(PORT, {"vfs": wanted})
    assert (function.writes, function.vfs) == (writes, wanted)


def test_a_number_that_the_driver_refuses_leaves_the_former_one(function: Function) -> None:
    function.count(2)
    function.most = 3
    with pytest.raises(KernelRefusal, match="the driver may allow fewer VFs"):
        sriov.write(PORT, {"vfs": 5})
    assert function.vfs == 2


def test_vfs_that_are_in_use_are_told_as_such(function: Function) -> None:
    function.count(2)
    function.in_use = True
    with pytest.raises(KernelRefusal, match="take the VFs away from virtual machines") as refused:
        sriov.write(PORT, {"vfs": 4})
    assert (refused.value.code, function.vfs) == (errno.EPERM, 2)
