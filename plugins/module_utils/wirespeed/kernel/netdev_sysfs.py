# SPDX-License-Identifier: GPL-3.0-or-later
"""One interface's folder in sysfs: NAPI parameters, CPU masks and flow tables of its queues.

A sysfs shows the network namespace that was current when it was mounted, so the folder of that
name can belong to another interface: its ``ifindex`` is compared each time.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import List, Set

from ..errors import NotSupported
from .cpus import mask_of, mask_text
from .netlink import refusal
from .port import Port

_NET = Path("/sys/class/net")


def folder(port: Port) -> Path:
    """Raises :class:`NotSupported` where the sysfs at hand does not show this interface."""
    path = _NET / port.name
    try:
        shown = int((path / "ifindex").read_text(encoding="ascii"))
    except OSError:
        raise NotSupported(f"sysfs {path} (the mounted sysfs does not show this interface)") from None
    if shown != port.ifindex:
        raise NotSupported(f"sysfs {path} (the mounted sysfs shows another network namespace)")
    return path


def numa_node(port: Port) -> int:
    """Of the device that carries the interface (for virtio, the one below it); -1 where none is named."""
    path = folder(port)
    for file in (path / "device/numa_node", path / "device/../numa_node"):
        try:
            return int(file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
    return -1


def number(port: Port, name: str) -> int:
    return int(read(folder(port) / name))


def set_number(port: Port, name: str, value: int) -> None:
    write(folder(port) / name, str(value))


def queue_cpus(port: Port, direction: str, mask: str) -> List[Set[int]]:
    """``xps_cpus`` of each ``tx`` or ``rps_cpus`` of each ``rx`` queue, in the order of their numbers.

    Raises :class:`NotSupported` for what has none: xps_cpus on a device of one queue, or a kernel without it.
    """
    return [mask_of(read(queue / mask)) for queue in _queues(port, direction)]


def set_queue_cpus(port: Port, direction: str, mask: str, cpus: List[Set[int]]) -> None:
    """As far as both go: the first of ``cpus`` for the first queue."""
    for queue, wanted in zip(_queues(port, direction), cpus):
        write(queue / mask, mask_text(wanted))


def queue_numbers(port: Port, direction: str, file: str) -> List[int]:
    """``file`` of each ``tx`` or ``rx`` queue, in the order of their numbers."""
    return [int(read(queue / file)) for queue in _queues(port, direction)]


def set_queue_numbers(port: Port, direction: str, file: str, numbers: List[int]) -> None:
    """As far as both go: the first number for the first queue."""
    for queue, wanted in zip(_queues(port, direction), numbers):
        write(queue / file, str(wanted))


def _queues(port: Port, direction: str) -> List[Path]:
    """Those in use: the kernel has no folder for others."""
    found = folder(port) / "queues"
    numbers = sorted(int(entry.name[3:]) for entry in found.glob(f"{direction}-*"))
    return [found / f"{direction}-{number}" for number in numbers]


def read(path: Path) -> str:
    """Raises :class:`NotSupported` for a file that this kernel or device has not."""
    try:
        with open(path, encoding="ascii") as stream:
            return stream.read().strip()
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise NotSupported(f"sysfs {path} (not here)") from None
        raise refusal(f"read {path}", error.errno or errno.EIO) from None


def write(path: Path, text: str) -> None:
    try:
        with open(path, "w", encoding="ascii") as stream:
            stream.write(text)
    except OSError as error:
        raise refusal(f"write {text!r} to {path}", error.errno or errno.EIO) from None
