# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces and multi-queue taps: the far end of a virtio NIC with several queues."""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
from pathlib import Path
from typing import Callable, List, TypeVar

from .process import run

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_MULTI_QUEUE, _IFF_NO_PI, _IFF_VNET_HDR = 0x0002, 0x0100, 0x1000, 0x4000  # linux/if_tun.h
_libc = ctypes.CDLL(None, use_errno=True)


def _path(name: str) -> Path:
    return Path("/run/netns") / name


def exists(name: str) -> bool:
    return _path(name).exists()


def create(name: str) -> None:
    """A namespace without IPv6, so that the host sends nothing of its own into a guest's NIC."""
    if not exists(name):
        run("ip", "netns", "add", name)
        inside(name, _no_ipv6)


def _no_ipv6() -> None:
    for scope in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6").write_text("1", encoding="ascii")


def delete(name: str) -> None:
    if exists(name):
        run("ip", "netns", "delete", name)


def inside(name: str, action: Callable[[], T]) -> T:
    """Run `action` with the calling thread in the namespace."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    away = os.open(_path(name), os.O_RDONLY)
    try:
        _enter(away)
        try:
            return action()
        finally:
            _enter(home)
    finally:
        os.close(home)
        os.close(away)


def _enter(fd: int) -> None:
    if _libc.setns(fd, _CLONE_NEWNET):
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")


def open_tap(namespace: str, name: str, queues: int) -> List[int]:
    """Make a tap that is up, with one descriptor per queue (vnet headers on, so offloads reach the host)."""
    flags = _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR | (_IFF_MULTI_QUEUE if queues > 1 else 0)

    def attach() -> List[int]:
        fds = []
        for _ in range(queues):
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
            fds.append(fd)
        return fds

    fds = inside(namespace, attach)
    run("ip", "-n", namespace, "link", "set", name, "up")
    return fds


def statistic(namespace: str, name: str, counter: str) -> int:
    """A counter of /sys/class/net inside a namespace; sysfs shows the namespace it was mounted in, so mount anew."""
    text = run("ip", "netns", "exec", namespace, "cat", f"/sys/class/net/{name}/statistics/{counter}")
    return int(text)
