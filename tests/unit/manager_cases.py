# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's files as a tree of a test's own, and a NIC that others claim."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from wirespeed.managers.manager import Subject
from wirespeed.managers.table import claims as all_claims
from wirespeed.managers.tree import Tree
from wirespeed.model.claim import Claim
from wirespeed.model.nic import Nic
from wirespeed.model.settings import Setting, SettingFacts

FEATURES = {
    "rx-gro": True,
    "rx-lro": False,
    "rx-hashing": True,
    "tx-checksum-ipv4": True,
    "tx-checksum-ip-generic": True,
    "tx-checksum-ipv6": True,
    "tx-tcp-segmentation": True,
    "tx-tcp6-segmentation": True,
}
IGB = Nic(
    name="enp1s0",
    ifindex=2,
    mac="52:54:00:00:01:01",
    driver="igb",
    kind="pci",
    settings={
        Setting.FEATURES: SettingFacts(FEATURES, fixed=frozenset({"tx-checksum-ipv4", "tx-checksum-ipv6"})),
        Setting.RINGS: SettingFacts({"rx": 256, "tx": 256}, {"rx": 4096, "tx": 4096}),
        Setting.CHANNELS: SettingFacts({"combined": 4, "other": 1}, {"combined": 8, "other": 1}),
    },
)


def tree(root: Path, files: Mapping[str, str]) -> Tree:
    """``files`` by the path that they have on the host."""
    for path, text in files.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return Tree(root)


def claimed(
    root: Path, files: Mapping[str, str], udev: Optional[Mapping[str, str]] = None, **nic: Any
) -> "list[Claim]":
    subject = Subject(replace(IGB, **nic), udev or {})
    return list(all_claims(tree(root, files), subject))


def told(claims: "list[Claim]") -> Dict[str, Any]:
    """``rings.rx`` -> the value."""
    return {f"{claim.setting}.{claim.key}": claim.value for claim in claims}


def places(claims: "list[Claim]") -> Dict[str, str]:
    return {f"{claim.setting}.{claim.key}": claim.origin for claim in claims}
