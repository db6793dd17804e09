# SPDX-License-Identifier: GPL-3.0-or-later
"""When a setting was last written: for drivers that forget one while it still reads back.

virtio_net turns RSS off in the device at native attach, detach and channel change, and
``ethtool -x`` goes on showing the table (measured on Linux 6.1 to 7.2 with QEMU's device). So a
written setting is trusted only in the epoch (:attr:`model.nic.Nic.epoch`) of its writing, which
is kept in the run directory: gone at reboot, like the setting.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Dict, Mapping

from .model.settings import Setting


def read_witness(run: Path, nic: str) -> Dict[Setting, str]:
    """Empty where nothing was written yet, or where the record is not readable."""
    try:
        record = json.loads(_path(run, nic).read_text(encoding="utf-8"))
        return {Setting(setting): str(epoch) for setting, epoch in record.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def write_witness(run: Path, nic: str, epochs: Mapping[Setting, str]) -> None:
    path = _path(run, nic)
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        json.dump({setting.value: epoch for setting, epoch in epochs.items()}, stream)
    os.replace(draft, path)


def _path(run: Path, nic: str) -> Path:
    return run / "witness" / f"{nic}.json"
