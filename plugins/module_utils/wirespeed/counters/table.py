# SPDX-License-Identifier: GPL-3.0-or-later
"""The counter table of a NIC profile: unified name -> the raw counters that make it up.

A profile says for each unified name either why this driver cannot tell it, or one or more
alternatives, best first::

    counters:
      host_drop:
        - raw: ["rx{q}_drops"]          # added up; {q} is a queue number
          minus: ["rx{q}_xdp_drops"]    # subtracted
          source: ethtool_s             # ethtool_s | groups | qstats | rtnl; one name may differ: "qstats:rx-packets"
          block: "Rx Queue#"            # vmxnet3: names repeat after a line of this name, whose value is the queue
          scope: queue-sum              # port | function | queue-sum | host
          includes_xdp_drop: false      # null: unknown
          within_driver: true           # host_drop: are these frames among driver_packets? null: some
          folds: [aborted]              # other outcomes that the driver counts here too
          confidence: source            # measured | source | derived | documented
          kernel: ">=6.10"
          width: 64                     # bits at which the counter wraps
          cadence_ms: 0                 # how stale a reading can be
          meaning: ...
          ref: virtio_net.c:140
      nic_drop:
        - absent: why this driver cannot tell

Names decide before kernel ranges do: a distribution may carry a newer driver in an older kernel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple, Type, TypeVar

from ..errors import BadInput, Place
from ..model.intent import unknown_word

_E = TypeVar("_E", bound=Enum)


class Counter(str, Enum):
    """The vocabulary. Receive direction; packets unless the name says bytes."""

    WIRE_PACKETS = "wire_packets"
    WIRE_BYTES = "wire_bytes"
    NIC_DROP = "nic_drop"
    HOST_DROP = "host_drop"
    ERROR = "error"
    ERROR_CRC = "error_crc"
    ERROR_LENGTH = "error_length"
    DRIVER_PACKETS = "driver_packets"
    DELIVERED = "delivered"
    XDP_PACKETS = "xdp_packets"
    XDP_DROP = "xdp_drop"
    XDP_PASS = "xdp_pass"
    XDP_TX = "xdp_tx"
    XDP_REDIRECT = "xdp_redirect"
    XDP_ABORTED = "xdp_aborted"

    def __str__(self) -> str:
        return self.value


MEANING: Mapping[Counter, str] = {
    Counter.WIRE_PACKETS: "good frames that reached the port for this host, also those the NIC then lost",
    Counter.WIRE_BYTES: "bytes of the good frames at the port, as the NIC counts them",
    Counter.NIC_DROP: "good frames lost inside the NIC before a descriptor was tried (port buffer, FIFO)",
    Counter.HOST_DROP: "good frames lost because the host was late or had no memory (no descriptor, no buffer)",
    Counter.ERROR: "frames discarded as bad",
    Counter.ERROR_CRC: "frames discarded for a bad checksum (FCS)",
    Counter.ERROR_LENGTH: "frames discarded for their length",
    Counter.DRIVER_PACKETS: "frames that the driver took from its rings",
    Counter.DELIVERED: "frames that the driver handed to the stack",
    Counter.XDP_PACKETS: "frames on which the driver ran the XDP program",
    Counter.XDP_DROP: "frames that the driver dropped on the program's word",
    Counter.XDP_PASS: "frames that the driver passed on after the program",
    Counter.XDP_TX: "frames that the driver sent back by XDP_TX",
    Counter.XDP_REDIRECT: "frames that the driver redirected",
    Counter.XDP_ABORTED: "frames on which the program failed, as the driver counts them",
}


class Source(str, Enum):
    """Where a raw counter is read: one call each."""

    ETHTOOL_S = "ethtool_s"
    QSTATS = "qstats"
    GROUPS = "groups"
    RTNL = "rtnl"


class Scope(str, Enum):
    """What a value covers. Only values of one scope can be equal."""

    PORT = "port"
    FUNCTION = "function"
    QUEUE_SUM = "queue-sum"
    HOST = "host"


class Confidence(str, Enum):
    """How we know the meaning, strongest first.

    ``measured``   exact frame counts on this driver; ``source`` read in the driver's code;
    ``derived``    computed from several counters; ``documented`` the kernel's general text, drivers differ.
    """

    MEASURED = "measured"
    SOURCE = "source"
    DERIVED = "derived"
    DOCUMENTED = "documented"


FOLDS = ("aborted", "tx_failed", "redirect_failed")


@dataclass(frozen=True)
class RawName:
    """One raw counter. ``pattern`` is set when the name holds ``{q}``; its group is the queue."""

    source: Source
    name: str
    pattern: Optional["re.Pattern[str]"] = None

    def __str__(self) -> str:
        return f"{self.source.value}:{self.name}"


@dataclass(frozen=True)
class KernelRange:
    """``>=6.10``, ``<6.10`` or both; empty text is every kernel."""

    text: str = ""
    lowest: Tuple[int, int] = (0, 0)
    below: Optional[Tuple[int, int]] = None

    def holds(self, version: Tuple[int, int]) -> bool:
        return self.lowest <= version and (self.below is None or version < self.below)


@dataclass(frozen=True)
class Alternative:
    """One way to tell a unified counter."""

    plus: Tuple[RawName, ...]
    minus: Tuple[RawName, ...]
    block: str
    scope: Scope
    includes_xdp_drop: Optional[bool]
    within_driver: Optional[bool]
    folds: FrozenSet[str]
    confidence: Confidence
    kernel: KernelRange
    width: int
    cadence_ms: int
    meaning: str
    ref: str


@dataclass(frozen=True)
class Entry:
    """All alternatives of one counter; ``absent`` says why there is none on this driver."""

    counter: Counter
    alternatives: Tuple[Alternative, ...] = ()
    absent: str = ""


@dataclass(frozen=True)
class CounterTable:
    """``entries`` has every word of the vocabulary: what no profile mentions is absent, and says so."""

    entries: Mapping[Counter, Entry] = field(default_factory=dict)


_KEYS = (
    "raw", "minus", "source", "block", "scope", "includes_xdp_drop", "within_driver", "folds", "confidence", "kernel",
    "width", "cadence_ms", "meaning", "ref",
)  # fmt: skip
_RANGE = re.compile(r"^\s*(?:>=\s*(\d+)\.(\d+))?\s*,?\s*(?:<\s*(\d+)\.(\d+))?\s*$")


def parse(data: Mapping[str, Any], place: Place) -> CounterTable:
    """``data`` is the ``counters`` block of a resolved profile. Raises BadInput naming the field."""
    if not isinstance(data, Mapping):
        raise BadInput(place, "counters", f"is {data!r}, not a mapping.")
    entries = {counter: Entry(counter, absent="no profile says where this driver counts it") for counter in Counter}
    for name, ways in data.items():
        counter = _word(Counter, name, place, f"counters.{name}")
        entries[counter] = _entry(counter, ways, place, f"counters.{name}")
    return CounterTable(entries)


def _entry(counter: Counter, ways: Any, place: Place, where: str) -> Entry:
    if not isinstance(ways, (list, tuple)) or not ways:
        raise BadInput(place, where, f"is {ways!r}, not a list of alternatives.", "Give at least one.")
    alternatives: List[Alternative] = []
    absent = ""
    for i, way in enumerate(ways):
        field_ = f"{where}[{i}]"
        if not isinstance(way, Mapping):
            raise BadInput(place, field_, f"is {way!r}, not a mapping.")
        if "absent" in way:
            absent = _absent(way, place, field_, last=i == len(ways) - 1)
        else:
            alternatives.append(_alternative(way, place, field_))
    return Entry(counter, tuple(alternatives), absent)


def _absent(way: Mapping[str, Any], place: Place, where: str, last: bool) -> str:
    if len(way) != 1 or not isinstance(way["absent"], str) or not last:
        raise BadInput(place, where, "'absent' stands alone, is a sentence, and comes last.")
    return str(way["absent"])


def _alternative(way: Mapping[str, Any], place: Place, where: str) -> Alternative:
    for key in way:
        if key not in _KEYS:
            raise unknown_word(place, f"{where}.{key}", str(key), (*_KEYS, "absent"))
    for key in ("raw", "meaning", "ref"):
        if not way.get(key):
            raise BadInput(place, where, f"has no '{key}'.", "Every counter says what it means and where that stands.")
    source = _word(Source, way.get("source", "ethtool_s"), place, f"{where}.source")
    return Alternative(
        plus=_raw_names(way["raw"], source, place, f"{where}.raw"),
        minus=_raw_names(way.get("minus", ()), source, place, f"{where}.minus"),
        block=str(way.get("block", "")),
        scope=_word(Scope, way.get("scope", "function"), place, f"{where}.scope"),
        includes_xdp_drop=_flag(way.get("includes_xdp_drop"), place, f"{where}.includes_xdp_drop"),
        within_driver=_flag(way.get("within_driver", False), place, f"{where}.within_driver"),
        folds=_folds(way.get("folds", ()), place, f"{where}.folds"),
        confidence=_word(Confidence, way.get("confidence", "source"), place, f"{where}.confidence"),
        kernel=_kernel(way.get("kernel", ""), place, f"{where}.kernel"),
        width=_whole(way.get("width", 64), place, f"{where}.width"),
        cadence_ms=_whole(way.get("cadence_ms", 0), place, f"{where}.cadence_ms"),
        meaning=str(way["meaning"]),
        ref=str(way["ref"]),
    )


def _raw_names(value: Any, source: Source, place: Place, where: str) -> Tuple[RawName, ...]:
    if not isinstance(value, (list, tuple)):
        raise BadInput(place, where, f"is {value!r}, not a list of raw counter names.")
    names = []
    for item in value:
        if not isinstance(item, str) or not item:
            raise BadInput(place, where, f"holds {item!r}, not a raw counter name.")
        names.append(raw_name(item, source))
    return tuple(names)


def raw_name(text: str, source: Source) -> RawName:
    """``qstats:rx-packets`` or a bare name of ``source``; ``{q}`` stands for a queue number."""
    head, colon, tail = text.partition(":")
    if colon and head in [member.value for member in Source]:
        source, text = Source(head), tail
    if "{q}" not in text:
        return RawName(source, text)
    before, dummy, after = text.partition("{q}")
    return RawName(source, text, re.compile(f"^{re.escape(before)}([0-9]+){re.escape(after)}$"))


def _kernel(value: Any, place: Place, where: str) -> KernelRange:
    found = _RANGE.match(value) if isinstance(value, str) else None
    if found is None:
        raise BadInput(place, where, f"{value!r} is no kernel range.", "Write '>=6.10', '<6.10' or '>=6.1 <6.10'.")
    numbers: Dict[int, Tuple[int, int]] = {}
    for i in (1, 3):
        if found.group(i):
            numbers[i] = (int(found.group(i)), int(found.group(i + 1)))
    return KernelRange(value.strip(), numbers.get(1, (0, 0)), numbers.get(3))


def _folds(value: Any, place: Place, where: str) -> FrozenSet[str]:
    for word in value:
        if word not in FOLDS:
            raise unknown_word(place, where, str(word), FOLDS)
    return frozenset(value)


def _flag(value: Any, place: Place, where: str) -> Optional[bool]:
    if value is not None and not isinstance(value, bool):
        raise BadInput(place, where, f"is {value!r}; it can be true, false or null (unknown).")
    return value


def _whole(value: Any, place: Place, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadInput(place, where, f"is {value!r}, not a whole number.")
    return value


def _word(kind: Type[_E], value: Any, place: Place, where: str) -> _E:
    words = [str(member.value) for member in kind]
    if value in words:
        return kind(value)
    raise unknown_word(place, where, str(value), words)
