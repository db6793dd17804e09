# SPDX-License-Identifier: GPL-3.0-or-later
"""ethtool over generic netlink: channels, rings, features, private flags, link speed.

Settings that are a few numbers and switches are in ``ethtool_parameters``.

Numbers from include/uapi/linux/ethtool_netlink.h; they are the same in Linux 5.7 to 7.2. Every
function raises :class:`~..errors.NotSupported` where the driver has no such operation and
:class:`~..errors.KernelRefusal` with the kernel's reason for any other refusal.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Dict, FrozenSet, Mapping, Optional, Sequence, Tuple, Union

from . import netlink
from .netlink import Attribute, Message, Nest
from .port import Port

_STRSET_GET = 1
_LINKMODES_GET = 4
_FEATURES_GET, _FEATURES_SET = 11, 12
_PRIVFLAGS_GET, _PRIVFLAGS_SET = 13, 14
_RINGS_GET, _RINGS_SET = 15, 16
_CHANNELS_GET, _CHANNELS_SET = 17, 18

_FEATURE_NAMES = 4  # ETH_SS_FEATURES
_COMPACT = 1  # ETHTOOL_FLAG_COMPACTBITSETS
_SPEED_UNKNOWN = 0xFFFFFFFF

_HEADER = Nest((Attribute(1, "index", "uint32"), Attribute(2, "name", "asciiz"), Attribute(3, "flags", "uint32")))
_BIT = Nest((Attribute(1, "index", "uint32"), Attribute(2, "name", "asciiz"), Attribute(3, "value", "flag")))
BITSET = Nest(
    (
        Attribute(1, "no_mask", "flag"),
        Attribute(2, "size", "uint32"),
        Attribute(3, "bits", Nest((Attribute(1, "bit", _BIT, repeated=True),))),
        Attribute(4, "value", "cdata"),
        Attribute(5, "mask", "cdata"),
    )
)


def message(*attributes: Attribute, header: int = 1) -> Message:
    """An ethtool message: the header that names the interface, then ``attributes``. ``header`` is its number."""
    return Message(netlink.GENERIC_HEAD, (Attribute(header, "header", _HEADER), *attributes))


_COUNTERS = {"rx": (2, 6), "tx": (3, 7), "other": (4, 8), "combined": (5, 9)}
_RING_SIZES = {
    "rx": (2, 6),
    "rx-mini": (3, 7),
    "rx-jumbo": (4, 8),
    "tx": (5, 9),
    "tx-push-buf-len": (16, 15),
    "hds-thresh": (18, 17),
}
_RING_EXTRAS = (
    Attribute(10, "rx-buf-len", "uint32"),
    Attribute(11, "tcp-data-split", "uint8"),
    Attribute(12, "cqe-size", "uint32"),
    Attribute(13, "tx-push", "uint8"),
    Attribute(14, "rx-push", "uint8"),
)
_DATA_SPLIT = {1: False, 2: True}  # ETHTOOL_TCP_DATA_SPLIT_*


def _sizes(table: Mapping[str, Tuple[int, int]], *others: Attribute) -> Message:
    maxima = (Attribute(maximum, f"{key}-max", "uint32") for key, (maximum, _current) in table.items())
    currents = (Attribute(current, key, "uint32") for key, (_maximum, current) in table.items())
    return message(*maxima, *currents, *others)


_CHANNELS = _sizes(_COUNTERS)
_RINGS = _sizes(_RING_SIZES, *_RING_EXTRAS)
_FEATURES = message(*(Attribute(2 + i, key, BITSET) for i, key in enumerate(("hw", "wanted", "active", "nochange"))))
_PRIVFLAGS = message(Attribute(2, "flags", BITSET))
_LINKMODES = message(Attribute(5, "speed", "uint32"))
_STRING = Nest((Attribute(1, "index", "uint32"), Attribute(2, "value", "asciiz")))
_STRINGSET = Nest(
    (Attribute(1, "id", "uint32"), Attribute(3, "strings", Nest((Attribute(1, "string", _STRING, repeated=True),))))
)
_STRSET = message(Attribute(2, "sets", Nest((Attribute(1, "set", _STRINGSET, repeated=True),))))


@dataclass(frozen=True)
class Sizes:
    """Current counts by key and the largest that the driver states; keys that it lacks are absent."""

    current: Mapping[str, int]
    maxima: Mapping[str, int]


@dataclass(frozen=True)
class Rings(Sizes):
    """``extras``: what newer kernels tell beside the sizes, ``rx-buf-len`` and ``tx-push`` for instance."""

    extras: Mapping[str, Union[int, bool]]


@dataclass(frozen=True)
class Features:
    """Sets of kernel feature names, as ``netdev_features_strings`` (net/ethtool/common.c) has them.

    ``hardware`` can be toggled by the user unless ``nochange`` holds it too.
    """

    names: Tuple[str, ...]
    hardware: FrozenSet[str]
    wanted: FrozenSet[str]
    active: FrozenSet[str]
    nochange: FrozenSet[str]


def channels(port: Port) -> Sizes:
    return Sizes(*_told(call("CHANNELS_GET", _CHANNELS_GET, _CHANNELS, port), tuple(_COUNTERS)))


def set_channels(port: Port, counts: Mapping[str, int]) -> None:
    """``counts`` by ``rx``, ``tx``, ``other``, ``combined``; what is not given stays."""
    call("CHANNELS_SET", _CHANNELS_SET, _CHANNELS, port, counts)


def rings(port: Port) -> Rings:
    values = call("RINGS_GET", _RINGS_GET, _RINGS, port)
    extras: Dict[str, Union[int, bool]] = {}
    for attribute in _RING_EXTRAS:
        if attribute.key in values:
            number = int(values[attribute.key])
            extras[attribute.key] = bool(number) if attribute.kind == "uint8" else number
    if values.get("tcp-data-split") in _DATA_SPLIT:
        extras["tcp-data-split"] = _DATA_SPLIT[values["tcp-data-split"]]
    return Rings(*_told(values, tuple(_RING_SIZES)), extras)


def set_rings(port: Port, wanted: Mapping[str, Union[int, bool]]) -> None:
    """Sizes in descriptors by ``rx``, ``tx``, ``rx-mini``, ``rx-jumbo``, and extras; what is not given stays."""
    body = {key: int(value) for key, value in wanted.items()}
    if "tcp-data-split" in body:
        body["tcp-data-split"] += min(_DATA_SPLIT)
    call("RINGS_SET", _RINGS_SET, _RINGS, port, body)


def features(port: Port) -> Features:
    values = call("FEATURES_GET", _FEATURES_GET, _FEATURES, port, flags=_COMPACT)
    names = _feature_names()
    sets = {key: _members(names, values[key]) for key in ("hw", "wanted", "active", "nochange")}
    return Features(tuple(name for name in names if name), sets["hw"], sets["wanted"], sets["active"], sets["nochange"])


def set_features(port: Port, wanted: Mapping[str, bool]) -> None:
    """Asks for features on or off. The kernel may keep some as they are and still say yes."""
    bits = [{"name": name, "value": True} if on else {"name": name} for name, on in wanted.items()]
    call("FEATURES_SET", _FEATURES_SET, _FEATURES, port, {"wanted": {"bits": {"bit": bits}}})


def private_flags(port: Port) -> Dict[str, bool]:
    bitset = call("PRIVFLAGS_GET", _PRIVFLAGS_GET, _PRIVFLAGS, port)["flags"]
    return {bit["name"]: bool(bit.get("value")) for bit in bitset.get("bits", {}).get("bit", ())}


def set_private_flags(port: Port, flags: Mapping[str, bool]) -> None:
    """What is not given stays."""
    bits = [{"name": name, "value": True} if on else {"name": name} for name, on in flags.items()]
    call("PRIVFLAGS_SET", _PRIVFLAGS_SET, _PRIVFLAGS, port, {"flags": {"bits": {"bit": bits}}})


def speed(port: Port) -> int:
    """Mbit/s; 0 where the link is down or the driver cannot say."""
    value = call("LINKMODES_GET", _LINKMODES_GET, _LINKMODES, port, flags=_COMPACT).get("speed")
    return 0 if value in (None, _SPEED_UNKNOWN) else int(value)


def _told(values: Mapping[str, Any], keys: Sequence[str]) -> Tuple[Mapping[str, int], Mapping[str, int]]:
    """Current values and maxima of the keys that the driver has."""
    present = [key for key in keys if values.get(f"{key}-max") or values.get(key)]
    return {key: values.get(key, 0) for key in present}, {key: values.get(f"{key}-max", 0) for key in present}


def call(
    name: str,
    command: int,
    layout: Message,
    port: Optional[Port],
    body: Optional[Mapping[str, Any]] = None,
    flags: int = 0,
) -> Mapping[str, Any]:
    """One request about one interface; the values of its reply."""
    header: Dict[str, Any] = {"index": port.ifindex, "name": port.name} if port else {}
    if flags:
        header["flags"] = flags
    replies = netlink.request(
        netlink.GENERIC,
        netlink.family("ethtool"),
        layout,
        {"cmd": command, "version": 1},
        {"header": header, **(body or {})},
        f"ethtool {name} {port.name}" if port else f"ethtool {name}",
    )
    return replies[0].values if replies else {}


@lru_cache(maxsize=1)
def _feature_names() -> Tuple[str, ...]:
    """Names by bit; the kernel leaves retired bits empty."""
    wanted = {"sets": {"set": [{"id": _FEATURE_NAMES}]}}
    (stringset,) = call("STRSET_GET", _STRSET_GET, _STRSET, None, wanted)["sets"]["set"]
    strings = {string["index"]: string["value"] for string in stringset["strings"]["string"]}
    return tuple(strings.get(bit, "") for bit in range(max(strings) + 1))


def _members(names: Sequence[str], bitset: Mapping[str, Any]) -> FrozenSet[str]:
    """Compact bitsets are 32-bit words in host order."""
    raw = bitset["value"]
    words = struct.unpack(f"={len(raw) // 4}I", raw)
    return frozenset(name for bit, name in enumerate(names) if name and words[bit // 32] >> (bit % 32) & 1)
