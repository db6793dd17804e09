# SPDX-License-Identifier: GPL-3.0-or-later
"""What NetworkManager's active profile and its defaults set on a NIC."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Dict, Optional

import pytest

from tests.probes import requires
from wirespeed.managers import ini, networkmanager
from wirespeed.managers.networkmanager import fec_mode, matched

from .manager_cases import IGB, claimed, places, told

UUID = "73bffd44-6e24-4ef8-8e93-ea967bef701d"
LAN = f"""\
[connection]
id=lan
uuid={UUID}
type=ethernet
interface-name=enp1s0

[ethernet]
mtu=9000

[sriov]
total-vfs=4

[ethtool]
channels-combined=2
coalesce-adaptive-rx=1
coalesce-rx-usecs=50
eee-enabled=false
feature-gro=false
fec-mode=8
pause-autoneg=false
ring-rx=1024
"""
PATH = "/etc/NetworkManager/system-connections/lan.nmconnection"


def files(profile: str = LAN, uuid: str = UUID, **more: str) -> Dict[str, str]:
    return {
        PATH: profile,
        "/run/NetworkManager/devices/2": f"[device]\nconnection-uuid={uuid}\nmanaged=true\nnm-owned=false\n",
        "/sys/fs/cgroup/system.slice/NetworkManager.service/cgroup.procs": "",
        **more,
    }


def test_every_property_of_the_active_profile_becomes_our_setting(tmp_path: Path) -> None:
    found = claimed(tmp_path, files())
    assert told(found) == {
        "mtu.mtu": 9000,
        "sriov.vfs": 4,
        "channels.combined": 2,
        "coalesce.adaptive-rx": True,
        "coalesce.rx-usecs": 50,
        "eee.enabled": False,
        "features.rx-gro": False,
        "fec.encoding": "rs",
        "pause.autoneg": False,
        "rings.rx": 1024,
    }
    assert all(claim.active for claim in found)


def test_claim_names_file_line_and_property(tmp_path: Path) -> None:
    assert places(claimed(tmp_path, files()))["rings.rx"] == f"{PATH}:21, [ethtool] ring-rx"


def test_a_profile_of_this_nic_that_is_not_up_is_not_active(tmp_path: Path) -> None:
    found = claimed(tmp_path, files(uuid="another"))
    assert told(found)["rings.rx"] == 1024 and not any(claim.active for claim in found)


@pytest.mark.parametrize("line", ["interface-name=enp9s0", "autoconnect=false\ninterface-name=enp1s0"])
def test_a_profile_of_no_concern_to_this_nic(tmp_path: Path, line: str) -> None:
    assert claimed(tmp_path, files(LAN.replace("interface-name=enp1s0", line), uuid="another")) == []


def test_a_nic_that_networkmanager_leaves_alone(tmp_path: Path) -> None:
    assert claimed(tmp_path, {**files(), "/run/NetworkManager/devices/2": "[device]\nmanaged=false\n"}) == []


def test_a_host_on_which_it_never_ran(tmp_path: Path) -> None:
    assert claimed(tmp_path, {PATH: LAN}) == []


def test_defaults_apply_where_the_profile_says_nothing(tmp_path: Path) -> None:
    conf = "[connection]\nethernet.mtu=1400\n[device-lan]\nmatch-device=driver:igb\nsriov-num-vfs=2\n"
    bare = f"[connection]\nuuid={UUID}\ntype=ethernet\n"
    found = claimed(tmp_path, files(bare, **{"/etc/NetworkManager/conf.d/50-lan.conf": conf}))
    assert told(found) == {"mtu.mtu": 1400, "sriov.vfs": 2}
    found = claimed(tmp_path, files(**{"/etc/NetworkManager/conf.d/50-lan.conf": conf}))
    assert told(found)["mtu.mtu"] == 9000


def test_netplans_line_is_told_with_the_profile_that_it_made(tmp_path: Path) -> None:
    made = "/run/NetworkManager/system-connections/netplan-enp1s0.nmconnection"
    yaml = {"/etc/netplan/01-nm.yaml": "network:\n  ethernets:\n    enp1s0:\n      mtu: 9000\n"}
    everything = {path: text for path, text in files().items() if path != PATH}
    found = claimed(tmp_path, {**everything, made: LAN, **yaml})
    assert places(found)["mtu.mtu"].endswith("made from /etc/netplan/01-nm.yaml:3")


@pytest.mark.parametrize(
    ("spec", "hit"),
    [
        ("*", True),
        ("enp1s0", True),
        ("interface-name:enp*", True),
        ("interface-name:=enp*", False),
        ("mac:52:54:00:00:01:01", True),
        ("driver:ice;driver:igb/1.0", True),
        ("*,except:driver:igb", False),
        ("except:interface-name:eth0", True),
        ("type:wifi", False),
    ],
)
def test_device_lists(spec: str, hit: bool) -> None:
    assert matched(spec, IGB) is hit


@pytest.mark.parametrize(("text", "mode"), [("2", "auto"), ("12", "off rs"), ("rs", "rs"), ("64", None), ("x", None)])
def test_fec_modes(text: str, mode: Optional[str]) -> None:
    assert fec_mode(text) == mode


@requires("nmcli")
def test_keyfile_that_nmcli_writes() -> None:
    asked = {"ring-rx": "1024", "feature-gro": "off", "pause-autoneg": "off", "coalesce-adaptive-rx": "1"}
    words = [word for key, value in asked.items() for word in (f"ethtool.{key}", value)]
    command = ["nmcli", "--offline", "connection", "add", "type", "ethernet", "con-name", "lan", "ifname", "enp1s0"]
    environment = {**os.environ, "LC_ALL": "C"}
    written = subprocess.run(
        [*command, "ethernet.mtu", "9000", *words], capture_output=True, text=True, check=True, env=environment
    ).stdout
    found = [each for entry in ini.key_file(written) for each in networkmanager.meaning(entry)]
    assert {f"{setting}.{key}": value for setting, key, value in found} == {
        "mtu.mtu": 9000,
        "rings.rx": 1024,
        "features.gro": False,
        "pause.autoneg": False,
        "coalesce.adaptive-rx": True,
    }
