# SPDX-License-Identifier: GPL-3.0-or-later
"""ethtool ioctls, for what has no netlink: driver identity and statistics; rings as a last resort.

Layouts from include/uapi/linux/ethtool.h. An ioctl carries no reason text. RSS is in ``ethtool_rss``.
"""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
from dataclasses import dataclass
from typing import List, Mapping, Tuple

from ..errors import NotSupported
from .netlink import refusal

_SIOCETHTOOL = 0x8946
_GDRVINFO = 0x03
_GRINGPARAM, _SRINGPARAM = 0x10, 0x11
_GSTRINGS, _GSTATS, _GSSET_INFO = 0x1B, 0x1D, 0x37

_STATS = 1  # ETH_SS_STATS
_STRING_BYTES = 32  # ETH_GSTRING_LEN
_MAX_STATISTICS = 1 << 16
_DRVINFO = struct.Struct("=I32s32s32s32s32s12s5I")
_RINGS = struct.Struct("=9I")
_RING_ORDER = ("rx", "rx-mini", "rx-jumbo", "tx")


@dataclass(frozen=True)
class DriverInfo:
    driver: str
    version: str
    firmware: str
    bus: str


def driver_info(name: str) -> DriverInfo:
    fields = _DRVINFO.unpack(call(name, "GDRVINFO", _DRVINFO.pack(_GDRVINFO, *[b""] * 6, *[0] * 5)))
    driver, version, firmware, bus = (_text(field) for field in fields[1:5])
    return DriverInfo(driver, version, "" if firmware == "N/A" else firmware, bus)


def statistics(name: str) -> List[Tuple[str, int]]:
    """``ethtool -S`` in the driver's order; names may repeat and may begin with spaces.

    Raises :class:`~..errors.NotSupported` for drivers without statistics.
    """
    head = struct.pack("=IIQ", _GSSET_INFO, 0, 1 << _STATS)
    answer = call(name, "GSSET_INFO", head + bytes(4))
    (present,) = struct.unpack_from("=Q", answer, 8)
    count = min(struct.unpack_from("=I", answer, 16)[0], _MAX_STATISTICS) if present else 0
    if not count:
        raise NotSupported(f"ethtool GSSET_INFO {name} (no statistics)")
    strings = call(name, "GSTRINGS", struct.pack("=III", _GSTRINGS, _STATS, count) + bytes(count * _STRING_BYTES))
    values = call(name, "GSTATS", struct.pack("=II", _GSTATS, count) + bytes(count * 8))
    names = [_text(strings[12 + i * _STRING_BYTES :][:_STRING_BYTES]) for i in range(count)]
    return list(zip(names, struct.unpack_from(f"={count}Q", values, 8)))


def ring_sizes(name: str) -> Tuple[Mapping[str, int], Mapping[str, int]]:
    """Current and largest ring sizes by key; a key whose maximum is 0 is absent."""
    fields = _RINGS.unpack(call(name, "GRINGPARAM", _RINGS.pack(_GRINGPARAM, *[0] * 8)))
    maxima = {key: value for key, value in zip(_RING_ORDER, fields[1:5]) if value}
    return {key: value for key, value in zip(_RING_ORDER, fields[5:9]) if key in maxima}, maxima


def set_ring_sizes(name: str, sizes: Mapping[str, int]) -> None:
    fields = list(_RINGS.unpack(call(name, "GRINGPARAM", _RINGS.pack(_GRINGPARAM, *[0] * 8))))
    for key, value in sizes.items():
        fields[5 + _RING_ORDER.index(key)] = value
    call(name, "SRINGPARAM", _RINGS.pack(_SRINGPARAM, *fields[1:]))


def call(name: str, command: str, data: bytes) -> bytes:
    """One SIOCETHTOOL on ``struct ifreq {char name[16]; void *data;}`` (40 bytes)."""
    buffer = ctypes.create_string_buffer(data, len(data))
    request = struct.pack("16sP16x", name.encode()[:15], ctypes.addressof(buffer))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as descriptor:
        try:
            fcntl.ioctl(descriptor, _SIOCETHTOOL, request)
        except OSError as error:
            raise refusal(f"ethtool {command} {name}", error.errno or 0) from None
    return buffer.raw


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")
