# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic readings, written by hand after each driver's string tables: no machine was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import yaml

from wirespeed.counters.rawstats import RawStats
from wirespeed.counters.table import CounterTable, Source, parse
from wirespeed.counters.unify import UnifiedCounters, unify
from wirespeed.counters.verdicts import VerdictCount, VerdictName, VerdictReading
from wirespeed.errors import Place

PROFILES = Path(__file__).parents[2] / "plugins/module_utils/wirespeed/profiles"
DRIVERS = tuple(sorted(path.stem for path in PROFILES.glob("*.yml")))
LINK = ("rx_packets", "rx_bytes", "rx_errors", "rx_dropped", "rx_missed_errors", "rx_crc_errors", "rx_length_errors")

NAMES = (
    VerdictName(0, "pass", "pass"),
    VerdictName(1, "denied", "drop"),
    VerdictName(2, "malformed", "drop"),
    VerdictName(3, "failed", "aborted"),
    VerdictName(4, "reflected", "tx"),
    VerdictName(5, "forwarded", "redirect"),
)


def counters(driver: str) -> Dict[str, Any]:
    """The counters of a shipped profile, as the resolver merges them: the driver's words replace the generic ones."""
    data: Dict[str, Any] = {}
    for name in dict.fromkeys(("generic", driver)):
        data.update(yaml.safe_load((PROFILES / f"{name}.yml").read_text())["counters"])
    return data


def table(driver: str) -> CounterTable:
    return parse(counters(driver), Place(f"{driver}.yml"))


def link(**values: int) -> Dict[str, int]:
    return {**dict.fromkeys((*LINK, "rx_frame_errors"), 0), **values}


def lines(names: Sequence[str], **values: int) -> List[Tuple[str, int]]:
    return [(name, values.get(name, 0)) for name in names]


IGB = (
    "rx_packets", "rx_bytes", "rx_crc_errors", "rx_no_buffer_count", "rx_missed_errors", "rx_long_length_errors",
    "rx_short_length_errors", "rx_errors",
)  # fmt: skip
QUEUE_IGB = ("packets", "bytes", "drops", "csum_err", "alloc_failed")
QUEUE_61 = ("packets", "bytes", "drops", "xdp_packets", "xdp_tx", "xdp_redirects", "xdp_drops", "kicks")
QUEUE_612 = ("drops", "xdp_packets", "xdp_tx", "xdp_redirects", "xdp_drops", "kicks")
QUEUE_VETH = ("xdp_packets", "xdp_bytes", "drops", "xdp_redirect", "xdp_drops", "xdp_tx", "xdp_tx_errors")
VMXNET3_RX = (
    "  LRO pkts rx", "  LRO byte rx", "  ucast pkts rx", "  ucast bytes rx", "  mcast pkts rx", "  mcast bytes rx",
    "  bcast pkts rx", "  bcast bytes rx", "  pkts rx OOB", "  pkts rx err", "  drv dropped rx total", "     err",
    "     fcs", "  rx buf alloc fail",
)  # fmt: skip
VMXNET3_XDP = ("     xdp packets", "     xdp tx", "     xdp redirects", "     xdp drops", "     xdp aborted")

Queues = Sequence[Mapping[str, int]]


def igb(queues: Queues, **mac: int) -> RawStats:
    stats = lines(IGB, **mac)
    for q, values in enumerate(queues):
        stats += [(f"rx_queue_{q}_{name}", values.get(name, 0)) for name in QUEUE_IGB]
    return RawStats(tuple(stats), {}, link(), {Source.QSTATS: "qstats-get eth1: EOPNOTSUPP"})


def virtio_61(queues: Queues, **rtnl: int) -> RawStats:
    stats = [(f"rx_queue_{q}_{name}", values.get(name, 0)) for q, values in enumerate(queues) for name in QUEUE_61]
    return RawStats(tuple(stats), {}, link(**rtnl), {Source.QSTATS: "this kernel has no queue statistics"})


def virtio_612(queues: Queues, **rtnl: int) -> RawStats:
    """The newer names: totals ``rx_drops`` beside ``rx0_drops``, packets and bytes only as queue stats."""
    stats = [(f"rx_{name}", sum(values.get(name, 0) for values in queues)) for name in QUEUE_612]
    stats += [(f"rx{q}_{name}", values.get(name, 0)) for q, values in enumerate(queues) for name in QUEUE_612]
    told = {("rx", q): {"rx-packets": v.get("packets", 0), "rx-bytes": v.get("bytes", 0)} for q, v in enumerate(queues)}
    told.update({("tx", q): {"tx-packets": 7, "tx-bytes": 420} for q in range(len(queues))})
    return RawStats(tuple(stats), told, link(**rtnl))


def vmxnet3(queues: Queues, xdp: bool = True) -> RawStats:
    """Blocks: names repeat, and ``Tx Queue#`` blocks share some with the receive side."""
    stats: List[Tuple[str, int]] = []
    for q in range(len(queues)):
        stats += [("Tx Queue#", q), ("  ucast pkts tx", 999), ("  pkts tx err", 999), ("     err", 999)]
    for q, values in enumerate(queues):
        stats.append(("Rx Queue#", q))
        stats += [(name, values.get(name.strip(), 0)) for name in VMXNET3_RX + (VMXNET3_XDP if xdp else ())]
    stats.append(("tx timeout count", 3))
    return RawStats(tuple(stats), {}, link(), {Source.QSTATS: "EOPNOTSUPP"})


def veth(queues: Queues, **rtnl: int) -> RawStats:
    stats = [("peer_ifindex", 12)]
    stats += [(f"rx_queue_{q}_{name}", values.get(name, 0)) for q, values in enumerate(queues) for name in QUEUE_VETH]
    stats += [("tx_queue_0_xdp_xmit", 5), ("tx_queue_0_xdp_xmit_errors", 0)]
    return RawStats(tuple(stats), {}, link(**rtnl), {Source.QSTATS: "EOPNOTSUPP"})


def unified(driver: str, raw: RawStats, kernel: Tuple[int, int] = (6, 12)) -> UnifiedCounters:
    return unify(table(driver), raw, kernel)


def verdicts(map_id: int = 7, unseen: int = 0, **packets: int) -> VerdictReading:
    counts = {v.name: VerdictCount(packets.get(v.name, 0), 64 * packets.get(v.name, 0)) for v in NAMES}
    return VerdictReading("scrubber", map_id, NAMES, counts, unseen)


def value(driver: str, raw: RawStats, counter: str, kernel: Tuple[int, int] = (6, 12)) -> Optional[int]:
    from wirespeed.counters.table import Counter

    return unified(driver, raw, kernel).value(Counter(counter))
