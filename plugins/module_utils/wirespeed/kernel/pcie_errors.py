# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that a PCI Express function reported: aer_dev_* in sysfs (drivers/pci/pcie/aer.c, Linux 4.20)."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import NotSupported
from .netdev_sysfs import read

_DEVICES = Path("/sys/bus/pci/devices")
_KINDS = ("correctable", "nonfatal", "fatal")
_TOTAL = re.compile(r"^TOTAL_ERR_\w+\s+(\d+)$", re.MULTILINE)


def pcie_errors(address: str) -> int:
    """Of all kinds since the function was found, the corrected ones too: a transfer that was repeated took its time.

    ``address`` is the function's (``0000:01:00.0``). Raises :class:`NotSupported` where nothing reports them.
    """
    if not address:
        raise NotSupported("errors of PCI Express (on no PCI bus)")
    return sum(_total(read(_DEVICES / address / f"aer_dev_{kind}")) for kind in _KINDS)


def _total(text: str) -> int:
    found = _TOTAL.search(text)
    return int(found.group(1)) if found else 0
