# SPDX-License-Identifier: GPL-3.0-or-later
"""Receive classification rules (``ethtool -N``) over ethtool ioctls, as the bytes of the kernel's structures.

Rules have no netlink (Linux 7.2). Layouts from include/uapi/linux/ethtool.h, struct ethtool_rxnfc and
struct ethtool_rx_flow_spec; the same on 32 and 64 bits of user space.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass
from typing import Tuple

from ..errors import KernelRefusal, NotSupported
from .ethtool_ioctl import call

_GRXRINGS, _GRXCLSRLCNT, _GRXCLSRULE, _GRXCLSRLALL, _SRXCLSRLDEL, _SRXCLSRLINS = range(0x2D, 0x33)

SPEC_BYTES, EXT_BYTES = 52, 20
"""union ethtool_flow_union and struct ethtool_flow_ext."""

# cmd, flow_type, data, fs {flow_type, h_u, h_ext, m_u, m_ext, ring_cookie, location}, rule_cnt or rss_context
_RXNFC = struct.Struct(f"=IIQI{SPEC_BYTES}s{EXT_BYTES}s{SPEC_BYTES}s{EXT_BYTES}s4xQI4xI4x")
_LOCATIONS = 188  # offsetof(struct ethtool_rxnfc, rule_locs)
_LOC_SPECIAL = 0x80000000  # RX_CLS_LOC_SPECIAL
_MOST_RULES = 1 << 16

ANY = 0xFFFFFFFF
"""RX_CLS_LOC_ANY: the driver chooses the location."""

EXTENDED, EXTENDED_MAC, TO_CONTEXT = 0x80000000, 0x40000000, 0x20000000
"""FLOW_EXT, FLOW_MAC_EXT, FLOW_RSS: flags in a flow type."""


@dataclass(frozen=True)
class FlowSpec:
    """One rule: ``value`` and ``mask`` are unions of 52 bytes, ``ext_*`` the extensions of 20.

    A bit of a mask that is 1 is compared. ``cookie`` says where packets go; ``context`` is the id of an
    RSS context, read only with the flag :data:`TO_CONTEXT` in ``flow``.
    """

    flow: int
    value: bytes
    mask: bytes
    ext_value: bytes = bytes(EXT_BYTES)
    ext_mask: bytes = bytes(EXT_BYTES)
    cookie: int = 0
    location: int = ANY
    context: int = 0


@dataclass(frozen=True)
class RuleTable:
    """``size`` counts the locations, 0 where the driver does not tell; ``driver_chooses`` them or the caller."""

    size: int
    driver_chooses: bool
    rings: int
    rules: Tuple[FlowSpec, ...]


def rules(name: str) -> RuleTable:
    """All rules by location. Raises :class:`~..errors.NotSupported` after one call where the driver has none."""
    answer = _RXNFC.unpack_from(call(name, "GRXCLSRLCNT", _request(_GRXCLSRLCNT)))
    told, count = answer[2], min(answer[-1], _MOST_RULES)
    everything = call(name, "GRXCLSRLALL", _request(_GRXCLSRLALL, count=count)[:_LOCATIONS] + bytes(4 * count + 4))
    size, found = _RXNFC.unpack_from(everything)[2], min(_RXNFC.unpack_from(everything)[-1], count)
    locations = sorted(struct.unpack_from(f"={found}I", everything, _LOCATIONS))
    rings = _RXNFC.unpack_from(call(name, "GRXRINGS", _request(_GRXRINGS)))[2]
    specs = [spec for spec in (_rule(name, location) for location in locations) if spec is not None]
    return RuleTable(max(told & ~_LOC_SPECIAL, size & ~_LOC_SPECIAL), bool(told & _LOC_SPECIAL), rings, tuple(specs))


def insert(name: str, spec: FlowSpec, words: str) -> int:
    """The location that the rule got. ``words`` name the rule in an error. Raises :class:`KernelRefusal`."""
    answer = call(name, f"SRXCLSRLINS {words!r}", _request(_SRXCLSRLINS, spec, spec.context))
    return int(_RXNFC.unpack_from(answer)[-2])


def delete(name: str, location: int, words: str) -> None:
    """A rule that has gone already is no error."""
    nothing = FlowSpec(0, bytes(SPEC_BYTES), bytes(SPEC_BYTES), location=location)
    try:
        call(name, f"SRXCLSRLDEL {words!r}", _request(_SRXCLSRLDEL, nothing))
    except KernelRefusal as error:
        if error.code != errno.ENOENT:
            raise


def _rule(name: str, location: int) -> "FlowSpec | None":
    """None for a rule that went between the list and this call: drivers that list accelerated RFS do that."""
    nothing = FlowSpec(0, bytes(SPEC_BYTES), bytes(SPEC_BYTES), location=location)
    try:
        answer = call(name, f"GRXCLSRULE {name} {location}", _request(_GRXCLSRULE, nothing))
    except NotSupported:
        raise
    except KernelRefusal as error:
        if error.code in (errno.ENOENT, errno.EINVAL):
            return None
        raise
    _cmd, _flow, _data, flow, value, ext_value, mask, ext_mask, cookie, location, context = _RXNFC.unpack_from(answer)
    return FlowSpec(flow, value, mask, ext_value, ext_mask, cookie, location, context if flow & TO_CONTEXT else 0)


def _request(command: int, spec: "FlowSpec | None" = None, count: int = 0) -> bytes:
    """``count`` shares its place with the RSS context."""
    if spec is None:
        spec = FlowSpec(0, bytes(SPEC_BYTES), bytes(SPEC_BYTES), location=0)
    return _RXNFC.pack(
        command,
        0,
        0,
        spec.flow,
        spec.value,
        spec.ext_value,
        spec.mask,
        spec.ext_mask,
        spec.cookie,
        spec.location,
        count,
    )
