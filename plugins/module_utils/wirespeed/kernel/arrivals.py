# SPDX-License-Identifier: GPL-3.0-or-later
"""Wake up when an interface comes, is renamed, or udev is through with one. Says nothing of what it was."""

from __future__ import annotations

import os
import select
import socket
from types import TracebackType
from typing import Any, List, Optional, Type

from ..errors import MissingPrerequisite

_RTMGRP_LINK = 1  # include/uapi/linux/rtnetlink.h
_UDEV = "/run/udev/control"  # systemd-udevd's socket: it is there as long as udev is


class Arrivals:
    """What happens between entering and :meth:`wait` is not missed.

    rtnetlink tells of every interface of this network namespace, udev of those that it has named and set up.
    """

    def __enter__(self) -> Arrivals:
        self._links = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._links.setblocking(False)
        self._links.bind((0, _RTMGRP_LINK))
        self._udev = _monitor()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._links.close()
        self._udev = None

    def wait(self, seconds: float) -> bool:
        """False when nothing happened for so long."""
        watched: List[int] = [self._links.fileno()] + ([self._udev.fileno()] if self._udev is not None else [])
        ready = select.select(watched, [], [], max(seconds, 0.0))[0]
        self._drain()
        return bool(ready)

    def _drain(self) -> None:
        try:
            while self._links.recv(1 << 16):
                pass
        except OSError:  # EAGAIN: all read; ENOBUFS: some were lost, which tells as much
            pass
        while self._udev is not None and self._udev.poll(timeout=0) is not None:
            pass


def initialized(name: str) -> bool:
    """Whether udev has named and set up this interface; True where there is no udev."""
    if not os.path.exists(_UDEV):
        return True
    pyudev = _pyudev()
    try:
        return bool(pyudev.Devices.from_name(pyudev.Context(), "net", name).is_initialized)
    except pyudev.DeviceNotFoundError:  # renamed meanwhile
        return False


def _monitor() -> Optional[Any]:
    if not os.path.exists(_UDEV):
        return None
    pyudev = _pyudev()
    monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="udev")
    monitor.filter_by("net")
    monitor.start()
    return monitor


def _pyudev() -> Any:
    try:
        import pyudev
    except ImportError:
        raise MissingPrerequisite(
            "The Python library pyudev is missing.", "Install the package python3-pyudev."
        ) from None
    return pyudev
