# SPDX-License-Identifier: GPL-3.0-or-later
"""Receive-side scaling over ethtool ioctls: table, key, hash function, hashed fields.

RSS over netlink can be read from Linux 6.3 and written only after 6.12; the ioctl does both
everywhere. Layouts from include/uapi/linux/ethtool.h.
"""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass
from typing import Dict, Mapping, Optional, Sequence, Tuple

from ..errors import KernelRefusal, NotSupported
from .ethtool_ioctl import call
from .host import parse_release

_GRXFH, _SRXFH, _GRXRINGS, _GRSSH, _SRSSH = 0x29, 0x2A, 0x2D, 0x46, 0x47
_KEEP_TABLE = 0xFFFFFFFF  # ETH_RXFH_INDIR_NO_CHANGE
_NEW_CONTEXT = 0xFFFFFFFF  # ETH_RXFH_CONTEXT_ALLOC
_NO_SIZE = 0xFFFFFFFE
_MOST_CONTEXTS = 64
_RXNFC = struct.Struct("=IIQ")  # then the flow spec, rule count and locations: 192 bytes in all
_RXNFC_BYTES = 192
_RSS = struct.Struct("=IIIIBBBBI")

FUNCTIONS: Mapping[str, int] = {"toeplitz": 1, "xor": 2, "crc32": 4}
"""ETH_RSS_HASH_*: a driver has some of them and uses one."""

TRANSFORMATIONS: Mapping[str, int] = {"none": 0, "symmetric-xor": 1, "symmetric-or-xor": 2}
"""RXH_XFRM_*: what is done to the addresses and ports before they are hashed."""

_TRANSFORMATIONS_SINCE = (6, 8)

FLOWS: Mapping[str, int] = {
    "tcp4": 0x01,
    "udp4": 0x02,
    "sctp4": 0x03,
    "ah4": 0x09,
    "esp4": 0x0A,
    "ip4": 0x10,
    "tcp6": 0x05,
    "udp6": 0x06,
    "sctp6": 0x07,
    "ah6": 0x0B,
    "esp6": 0x0C,
    "ip6": 0x11,
}
"""*_FLOW: kinds of packets whose hashed fields can be chosen."""


@dataclass(frozen=True)
class Rss:
    """The default context. ``indirection`` gives the queue of each bucket; ``rings`` the number of receive queues.

    ``key`` is empty where the driver has none; ``function`` and ``transformation`` are the numbers
    of :data:`FUNCTIONS`, 0 where the driver tells none, and :data:`TRANSFORMATIONS`, None where the
    kernel knows of none.
    """

    indirection: Tuple[int, ...]
    rings: int
    key: bytes = b""
    function: int = 0
    transformation: Optional[int] = None


def rss(name: str) -> Rss:
    """Raises :class:`~..errors.NotSupported` where the driver has no table."""
    found = _rss(name)
    if not found.indirection:
        raise NotSupported(f"ethtool GRSSH {name} (an empty table)")
    answer = call(name, "GRXRINGS", _RXNFC.pack(_GRXRINGS, 0, 0) + bytes(_RXNFC_BYTES - _RXNFC.size))
    rings = _RXNFC.unpack_from(answer)[2]
    return Rss(found.indirection, rings, found.key, found.function, found.transformation)


def set_rss(
    name: str,
    indirection: Optional[Sequence[int]] = None,
    key: bytes = b"",
    function: int = 0,
    transformation: Optional[int] = None,
) -> None:
    """What is not given stays.

    ``indirection`` and ``key`` must be as long as those that :func:`rss` reads.
    """
    if transformation is None:
        transformation = _rss(name).transformation or 0
    size = _KEEP_TABLE if indirection is None else len(indirection)
    head = _RSS.pack(_SRSSH, 0, size, len(key), function, transformation, 0, 0, 0)
    table = b"" if indirection is None else struct.pack(f"={len(indirection)}I", *indirection)
    call(name, "SRSSH", head + table + key)


def _rss(name: str, context: int = 0) -> Rss:
    """``context`` 0 is the default one. Of others the key may be shorter than its place: those share the default's."""
    sizes = _RSS.unpack_from(call(name, "GRSSH", _RSS.pack(_GRSSH, context, *[0] * 7)))
    buckets, key_bytes = sizes[2], sizes[3]
    body = bytes(buckets * 4 + key_bytes)
    answer = call(name, "GRSSH", _RSS.pack(_GRSSH, context, buckets, key_bytes, 0, 0, 0, 0, 0) + body)
    function, transformation = _RSS.unpack_from(answer)[4:6]
    if parse_release(os.uname().release).version < _TRANSFORMATIONS_SINCE:
        transformation = None  # the byte is reserved
    table = struct.unpack_from(f"={buckets}I", answer, _RSS.size)
    start = _RSS.size + buckets * 4
    return Rss(table, 0, answer[start : start + key_bytes], function, transformation)


@dataclass(frozen=True)
class Context:
    """An RSS context beside the default one; rules (``ntuple``) send packets to it."""

    id: int
    indirection: Tuple[int, ...]


def contexts(name: str) -> Tuple[Context, ...]:
    """The additional contexts by id. Raises :class:`~..errors.NotSupported`, after one call, where there can be none.

    Linux before 6.11 lists them nowhere and its drivers give the ids; after, ids are the lowest free from 1
    (net/ethtool/ioctl.c ethtool_set_rxfh). So the ids that a NIC of Linux 6.1 to 7.2 can have are asked one
    by one: mlx5_core has 16, bnxt_en 33, sfc as many as its firmware, up to 64.
    """
    _ask_for_contexts(name)
    found = []
    for number in range(1, _MOST_CONTEXTS + 1):
        try:
            found.append(Context(number, _rss(name, number).indirection))
        except NotSupported:
            raise
        except KernelRefusal as error:
            if error.code not in (errno.ENOENT, errno.EINVAL):
                raise
    return tuple(found)


def set_context(name: str, number: Optional[int], indirection: Sequence[int]) -> None:
    """A new context for None. Key, function and transformation of one that is there stay."""
    transformation = 0 if number is None else _rss(name, number).transformation or 0
    context = _NEW_CONTEXT if number is None else number
    head = _RSS.pack(_SRSSH, context, len(indirection), 0, 0, transformation, 0, 0, 0)
    what = "a new context" if number is None else f"context {number}"
    call(name, f"SRSSH {what} of", head + struct.pack(f"={len(indirection)}I", *indirection))


def delete_context(name: str, number: int) -> None:
    """EBUSY while a rule sends packets to it."""
    call(name, f"SRSSH delete context {number} of", _RSS.pack(_SRSSH, number, *[0] * 7))


def _ask_for_contexts(name: str) -> None:
    """A table of a size that no driver has: the kernel refuses it before the driver is asked, but after contexts.

    To read a context would do too, but ice logs an error for each such call (ice_get_rxfh_context, Linux 6.1).
    """
    try:
        call(name, "SRSSH context 1 of", _RSS.pack(_SRSSH, 1, _NO_SIZE, *[0] * 6))
    except NotSupported:
        raise
    except KernelRefusal as error:
        if error.code != errno.EINVAL:
            raise


def hash_fields(name: str) -> Dict[str, int]:
    """RXH_* bits by flow, for the flows that the driver knows. Raises :class:`~..errors.NotSupported`."""
    found: Dict[str, int] = {}
    for flow, number in FLOWS.items():
        try:
            answer = call(name, f"GRXFH {flow}", _fields(_GRXFH, number, 0))
        except NotSupported:
            if flow == next(iter(FLOWS)):
                raise
        except KernelRefusal as error:
            if error.code != errno.EINVAL:
                raise
        else:
            found[flow] = _RXNFC.unpack_from(answer)[2]
    if not found:
        raise NotSupported(f"ethtool GRXFH {name} (no flow)")
    return found


def set_hash_fields(name: str, flow: str, bits: int) -> None:
    call(name, f"SRXFH {flow}", _fields(_SRXFH, FLOWS[flow], bits))


def _fields(command: int, flow: int, bits: int) -> bytes:
    return _RXNFC.pack(command, flow, bits) + bytes(_RXNFC_BYTES - _RXNFC.size)
