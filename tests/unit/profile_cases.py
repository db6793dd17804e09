# SPDX-License-Identifier: GPL-3.0-or-later
"""NICs as the five drivers show them on three kernels, taken from measurements in virtual machines."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from wirespeed.model.desired import ResolvedProfile
from wirespeed.model.intent import NicIntent, Workload
from wirespeed.model.nic import Nic, PciIdentity, XdpAttachment, XdpMode
from wirespeed.model.node import Kernel, Node
from wirespeed.model.settings import NOT_RUNNING, Setting, SettingFacts
from wirespeed.profiles.load import BUILT_IN, ProfileSet, load
from wirespeed.profiles.resolve import resolve

KERNELS = {"6.1": (6, 1), "6.12": (6, 12), "7.2": (7, 2)}
NATIVE = XdpAttachment(XdpMode.NATIVE, prog_id=7, prog_name="root", link_id=3, pipeline="scrubber")

_FEATURES = {
    "rx-checksum": True,
    "rx-lro": False,
    "rx-gro-hw": False,
    "rx-gro": True,
    "rx-vlan-hw-parse": True,
    "tx-vlan-hw-insert": True,
    "rx-ntuple-filter": False,
    "rx-all": False,
    "tx-checksum-ip-generic": True,
    "tx-checksum-ipv4": False,
}


def _features(fixed: str = "rx-lro rx-gro-hw", **changes: bool) -> SettingFacts:
    values = {**_FEATURES, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return SettingFacts(values, fixed=frozenset(fixed.split()))


def _nic(driver: str, pci: str, settings: Mapping[Setting, SettingFacts], **changes: Any) -> Nic:
    vendor, _, device = pci.partition(":")
    return Nic(
        name="eth1",
        ifindex=2,
        mac="52:54:00:00:00:02",
        driver=driver,
        kind="pci" if pci else "virtual",
        pci=PciIdentity(vendor, device, "1af4", "1100") if pci else None,
        settings={Setting.MTU: SettingFacts({"mtu": 1500}, {"mtu": 9216}), **settings},
        **changes,
    )


def igb(mtu: int = 1500, legacy_rx: bool = False, **changes: Any) -> Nic:
    settings = {
        Setting.FEATURES: _features(),
        Setting.MTU: SettingFacts({"mtu": mtu}, {"mtu": 9216}),
        Setting.CHANNELS: SettingFacts({"combined": 8, "other": 1}, {"combined": 8, "other": 1}),
        Setting.RINGS: SettingFacts({"rx": 256, "tx": 256}, {"rx": 4096, "tx": 4096}),
        Setting.RSS: SettingFacts({"indirection": (0, 1) * 64}, {"indirection": 7}),
        Setting.RSS_FIELDS: SettingFacts({"tcp4": "sdfn", "udp4": "sd", "tcp6": "sdfn", "udp6": "sd"}),
        Setting.PRIVATE_FLAGS: SettingFacts({"legacy-rx": legacy_rx}),
        Setting.IRQ_AFFINITY: SettingFacts({"cpus": "0 1 0 1 0 1 0 1"}, {"cpus": 7}),
        Setting.XPS: SettingFacts({"cpus": "none"}, {"cpus": 7}),
        Setting.RPS: SettingFacts({"cpus": "none"}, {"cpus": 7}),
    }
    lacks = {Setting.IRQBALANCE: NOT_RUNNING}
    return _nic(
        "igb", "8086:10c9", settings, private_flags={"legacy-rx": legacy_rx}, **{"unsupported": lacks, **changes}
    )


def virtio(combined: int = 1, most: int = 4, mtu: int = 1500, rss: bool = True, fixed: str = "", **changes: Any) -> Nic:
    settings = {
        Setting.FEATURES: _features(
            f"rx-lro rx-checksum rx-vlan-hw-parse tx-vlan-hw-insert {fixed}", rx_gro_hw=True, rx_vlan_hw_parse=False
        ),
        Setting.MTU: SettingFacts({"mtu": mtu}, {"mtu": 65535}),
        Setting.CHANNELS: SettingFacts({"combined": combined}, {"combined": most}),
        Setting.RINGS: SettingFacts({"rx": 256, "tx": 256}, {"rx": 256, "tx": 256}),
    }
    if rss:
        settings[Setting.RSS] = SettingFacts({"indirection": (0, 1) * 64}, {"indirection": 1})
    return _nic("virtio_net", "1af4:1041", settings, **changes)


def vmxnet3(mtu: int = 1500, **changes: Any) -> Nic:
    settings = {
        Setting.FEATURES: _features("rx-gro-hw", rx_lro=True),
        Setting.MTU: SettingFacts({"mtu": mtu}, {"mtu": 9190}),
        Setting.CHANNELS: SettingFacts({"combined": 2}, {"combined": 2}),
        Setting.RINGS: SettingFacts(
            {"rx": 256, "tx": 512, "rx-mini": 0, "rx-jumbo": 256},
            {"rx": 4096, "tx": 4096, "rx-mini": 2048, "rx-jumbo": 4096},
        ),
        Setting.RSS: SettingFacts({"indirection": (0, 1) * 4}, {"indirection": 1}),
    }
    return _nic("vmxnet3", "15ad:07b0", settings, **changes)


def e1000e(**changes: Any) -> Nic:
    settings = {
        Setting.FEATURES: _features(),
        Setting.RINGS: SettingFacts({"rx": 256, "tx": 256}, {"rx": 4096, "tx": 4096}),
    }
    lacks = {Setting.CHANNELS: "Operation not supported", Setting.RSS: "Operation not supported"}
    return _nic("e1000e", "8086:10d3", settings, unsupported=lacks, **changes)


def veth(rx: int = 1, most: int = 4, **changes: Any) -> Nic:
    settings = {
        Setting.FEATURES: _features("rx-lro rx-gro-hw rx-ntuple-filter rx-all"),
        Setting.CHANNELS: SettingFacts({"rx": rx, "tx": 1}, {"rx": most, "tx": most}),
    }
    return _nic("veth", "", settings, **changes)


def node(kernel: str = "6.12", cpus: int = 2, by_numa: Optional[Dict[int, int]] = None) -> Node:
    return Node(
        hostname="host",
        kernel=Kernel(f"{kernel}.0-30-amd64", KERNELS[kernel]),
        boot_id="boot",
        cpus=cpus,
        cpus_online=cpus,
        cpus_by_numa=by_numa or {0: cpus},
        ram_mib=512,
        libbpf="1.1",
        nics={},
    )


def intent(**changes: Any) -> NicIntent:
    return NicIntent("name", "eth1", **changes)


@lru_cache(maxsize=1)
def built_in() -> ProfileSet:
    return load([BUILT_IN])


def resolved(nic: Nic, kernel: str = "6.12", workload: str = "drop", cpus: int = 2, **wanted: Any) -> ResolvedProfile:
    return resolve(built_in(), nic, node(kernel, cpus), intent(workload=Workload(workload), **wanted))


def values(profile: ResolvedProfile) -> Dict[str, Any]:
    """``{"rings.rx": 4096}``: only what is to be set."""
    return {f"{setting}.{key}": want.value for setting, wants in profile.tuning.items() for key, want in wants.items()}


def write(directory: Path, **texts: str) -> Path:
    """A directory of profile files; keyword ``my_igb`` becomes ``my_igb.yml``."""
    directory.mkdir(exist_ok=True)
    for name, text in texts.items():
        (directory / f"{name}.yml").write_text(text, encoding="utf-8")
    return directory
