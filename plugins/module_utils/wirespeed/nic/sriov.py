# SPDX-License-Identifier: GPL-3.0-or-later
"""SR-IOV: how many virtual functions (VFs) the NIC's PCI function shows.

XDP depends on it: ixgbe refuses a native program while VFs exist, igb has fewer queues then, and on most
drivers VFs take queues that XDP needs for sending.
"""

from __future__ import annotations

from typing import Dict, Mapping

from ..errors import KernelRefusal, NotSupported
from ..kernel import netdev_sysfs
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import counted

KEY = "vfs"
_COUNT, _TOTAL = "device/sriov_numvfs", "device/sriov_totalvfs"


def read(port: Port) -> SettingFacts:
    """``vfs`` of at most sriov_totalvfs (drivers/pci/iov.c, Linux 6.1 to 7.2).

    Raises :class:`NotSupported` for a function without the capability, which VFs and virtual NICs have not,
    and for one whose firmware or driver allows none.
    """
    total = netdev_sysfs.number(port, _TOTAL)
    if total == 0:
        raise NotSupported(f"sysfs {_TOTAL} of {port.name} (it is 0: SR-IOV is off in the firmware or the driver)")
    return SettingFacts({KEY: netdev_sysfs.number(port, _COUNT)}, {KEY: total})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    return {key: counted(facts, key, value, 0) for key, value in want.items()}


def write(port: Port, values: Values) -> None:
    """The kernel refuses one number after another (EBUSY, sriov_numvfs_store), so 0 comes between them.

    A number that the driver then refuses leaves 0 behind: the former one is put back, for an undo covers whole
    steps only. Drivers refuse to remove VFs that a virtual machine holds, each with an errno of its own.
    """
    before, wanted = netdev_sysfs.number(port, _COUNT), int(str(values[KEY]))
    if before and wanted != before:
        _set(port, 0)
    if wanted and wanted != before:
        try:
            _set(port, wanted)
        except KernelRefusal:
            if before:
                _set(port, before)
            raise


def _set(port: Port, count: int) -> None:
    try:
        netdev_sysfs.set_number(port, _COUNT, count)
    except KernelRefusal as error:
        error.remedy = _remedy(count)
        raise


def _remedy(count: int) -> str:
    if count:
        return "The kernel log may say why; the driver may allow fewer VFs than the hardware has."
    return "A VF may be in use: take the VFs away from virtual machines and containers first."
