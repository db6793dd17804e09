# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd: what udev sets by a ``.link`` file when an interface appears, and networkd by a ``.network`` file.

Which file was applied is not guessed from ``[Match]``: udev's database and networkd's state name it. What
stands in it now is what the next boot brings. Options: systemd.link(5) and systemd.network(5) of 252 to 262.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from ..model.claim import Claim
from ..model.nic import Nic
from ..model.settings import Setting, Value
from . import ini, netplan, words
from .ini import Entry
from .manager import Subject
from .tree import Tree

UDEV, NETWORKD = "systemd-udevd", "systemd-networkd"
_FOLDERS = (
    "/etc/systemd/network",
    "/run/systemd/network",
    "/usr/local/lib/systemd/network",
    "/usr/lib/systemd/network",
    "/lib/systemd/network",
)

_FEATURES: Mapping[str, str] = {
    "ReceiveChecksumOffload": "rx",
    "TransmitChecksumOffload": "tx",
    "TCPSegmentationOffload": "tso",
    "TCP6SegmentationOffload": "tx-tcp6-segmentation",
    "GenericSegmentationOffload": "gso",
    "PartialGenericSegmentationOffload": "tx-gso-partial",
    "GenericReceiveOffload": "gro",
    "GenericReceiveOffloadHardware": "rx-gro-hw",
    "LargeReceiveOffload": "lro",
    "ReceiveVLANCTAGHardwareAcceleration": "rxvlan",
    "TransmitVLANCTAGHardwareAcceleration": "txvlan",
    "ReceiveVLANCTAGFilter": "rx-vlan-filter",
    "TransmitVLANSTAGHardwareAcceleration": "tx-vlan-stag-hw-insert",
    "NTupleFilter": "ntuple",
    "ReceiveFCS": "rx-fcs",
    "ReceiveAll": "rx-all",
}
_COUNTS: Mapping[str, Tuple[Setting, str]] = {
    "RxChannels": (Setting.CHANNELS, "rx"),
    "TxChannels": (Setting.CHANNELS, "tx"),
    "OtherChannels": (Setting.CHANNELS, "other"),
    "CombinedChannels": (Setting.CHANNELS, "combined"),
    "RxBufferSize": (Setting.RINGS, "rx"),
    "RxMiniBufferSize": (Setting.RINGS, "rx-mini"),
    "RxJumboBufferSize": (Setting.RINGS, "rx-jumbo"),
    "TxBufferSize": (Setting.RINGS, "tx"),
    "TransmitQueueLength": (Setting.TXQUEUELEN, "txqueuelen"),
    "MTUBytes": (Setting.MTU, "mtu"),
    "SR-IOVVirtualFunctions": (Setting.SRIOV, "vfs"),
    "CoalescePacketRateLow": (Setting.COALESCE, "pkt-rate-low"),
    "CoalescePacketRateHigh": (Setting.COALESCE, "pkt-rate-high"),
    **{
        f"{way}MaxCoalesced{when}Frames": (Setting.COALESCE, f"{way.lower()}-frames{key}")
        for way in ("Rx", "Tx")
        for when, key in (("", ""), ("Irq", "-irq"), ("Low", "-low"), ("High", "-high"))
    },
}
_TIMES: Mapping[str, str] = {
    "StatisticsBlockCoalesceSec": "stats-block-usecs",
    "CoalescePacketRateSampleIntervalSec": "sample-interval",
    **{
        f"{way}Coalesce{when}Sec": f"{way.lower()}-usecs{key}"
        for way in ("Rx", "Tx")
        for when, key in (("", ""), ("Irq", "-irq"), ("Low", "-low"), ("High", "-high"))
    },
}
_SWITCHES: Mapping[str, Tuple[Setting, str]] = {
    "UseAdaptiveRxCoalesce": (Setting.COALESCE, "adaptive-rx"),
    "UseAdaptiveTxCoalesce": (Setting.COALESCE, "adaptive-tx"),
    "RxFlowControl": (Setting.PAUSE, "rx"),
    "TxFlowControl": (Setting.PAUSE, "tx"),
    "AutoNegotiationFlowControl": (Setting.PAUSE, "autoneg"),
    **{option: (Setting.FEATURES, feature) for option, feature in _FEATURES.items()},
}
_ENERGY: Mapping[str, Tuple[Setting, str]] = {
    "Enable": (Setting.EEE, "enabled"),
    "TxLowPowerIdle": (Setting.EEE, "tx-lpi"),
}
_UNTOLD: Mapping[str, Tuple[Setting, str]] = {
    "ReceivePacketSteeringCPUMask": (Setting.RPS, "cpus"),
    "IRQAffinityPolicy": (Setting.IRQ_AFFINITY, "cpus"),
    "IRQAffinity": (Setting.IRQ_AFFINITY, "cpus"),
    "IRQAffinityNUMA": (Setting.IRQ_AFFINITY, "cpus"),
}

_MICROSECONDS = {
    **dict.fromkeys(("us", "usec", "\u00b5s", "\u03bcs"), 1),
    **dict.fromkeys(("ms", "msec"), 1000),
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1_000_000),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60_000_000),
}
_SPAN = re.compile(r"\s*(\d{1,10}(?:\.\d{1,6})?)\s*([a-z\u00b5\u03bc]*)")

Found = Tuple[Setting, str, Optional[Value]]


def claims(tree: Tree, subject: Subject) -> Iterable[Claim]:
    link = subject.properties.get("ID_NET_LINK_FILE", "")
    if link.endswith(".link"):
        yield from _of_file(tree, link, UDEV, subject.nic)
    state = tree.text(f"/run/systemd/netif/links/{subject.nic.ifindex}")
    for entry in ini.systemd(state or ""):
        if entry.key == "NETWORK_FILE" and entry.value.endswith(".network"):
            yield from _of_file(tree, entry.value, NETWORKD, subject.nic)


def _of_file(tree: Tree, path: str, manager: str, nic: Nic) -> Iterator[Claim]:
    """The file, and over it its drop-ins by their name. An empty value takes back what stood before."""
    told: "Dict[tuple[Setting, str], Optional[Claim]]" = {}
    made_by = netplan.origin(tree, path)
    for each in [path, *drop_ins(tree, path)]:
        for entry in ini.systemd(tree.text(each) or ""):
            found = meaning(entry, manager)
            if found is None:
                continue
            setting, key, value = found
            claim = Claim(manager, each, entry.line, entry.option, setting, key, value, made_by=made_by)
            told[setting, key] = claim if entry.value else None
    yield from (_clamped(claim, nic) for claim in told.values() if claim)


def drop_ins(tree: Tree, path: str) -> List[str]:
    name = path.rpartition("/")[2]
    return tree.layered([f"{folder}/{name}.d" for folder in _FOLDERS], ".conf")


def meaning(entry: Entry, manager: str = UDEV) -> Optional[Found]:
    """What one line sets; None for all that is no setting of ours. networkd knows the MTU alone of them."""
    key, text = entry.key, entry.value
    if entry.section == "EnergyEfficientEthernet" and manager == UDEV and key in _ENERGY:
        return (*_ENERGY[key], words.switch(text))
    if entry.section == "SR-IOV" or entry.section != "Link" or (manager == NETWORKD and key != "MTUBytes"):
        return None
    if key in _COUNTS:
        return (*_COUNTS[key], words.MAX if text == words.MAX else words.number(text))
    if key in _TIMES:
        return Setting.COALESCE, _TIMES[key], microseconds(text)
    if key in _SWITCHES:
        return (*_SWITCHES[key], words.switch(text))
    if key in _UNTOLD:
        return (*_UNTOLD[key], "none" if (key, text) == ("ReceivePacketSteeringCPUMask", "disable") else None)
    return None


def microseconds(text: str) -> Optional[int]:
    """systemd.time(7): ``50us``, ``1ms 500us``; a bare number is seconds."""
    total, position = 0.0, 0
    text = text.strip().lower()
    while position < len(text):
        found = _SPAN.match(text, position)
        if not found or found[2] not in _MICROSECONDS:
            return None
        total += float(found[1]) * _MICROSECONDS[found[2]]
        position = found.end()
    return round(total) if text else None


def _clamped(claim: Claim, nic: Nic) -> Claim:
    """udev asks for the NIC's maximum where a file wants more (ethtool-util.c)."""
    facts = nic.settings.get(claim.setting)
    most = facts.maxima.get(claim.key) if facts else None
    if claim.setting not in (Setting.RINGS, Setting.CHANNELS) or not most or not isinstance(claim.value, int):
        return claim
    return replace(claim, value=min(claim.value, most))
