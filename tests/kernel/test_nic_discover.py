# SPDX-License-Identifier: GPL-3.0-or-later
"""Discovery against iproute2, ethtool and bpftool on a real veth pair."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import pytest

from tests.probes import requires, requires_bpftool, requires_ethtool
from wirespeed.errors import KernelRefusal
from wirespeed.model.nic import Nic, XdpMode
from wirespeed.model.settings import Setting
from wirespeed.nic.discover import discover
from wirespeed.nic.table import ROOMS

from . import helpers_xdp
from .netns import Factory, Veth
from .worker import enter_network

SETTINGS_OF_VETH = {Setting.FEATURES, Setting.MTU, Setting.CHANNELS, Setting.TXQUEUELEN}


def nic(veth: Veth) -> Nic:
    found: Dict[str, Nic] = veth.node.run(discover, [veth.ifname])
    return found[veth.ifname]


def test_virtual_nic_is_found_only_when_it_is_named(veth: Veth) -> None:
    assert veth.node.run(discover) == {}
    assert list(veth.node.run(discover, [veth.ifname])) == [veth.ifname]


def test_name_that_does_not_exist_is_left_out(veth: Veth) -> None:
    assert veth.node.run(discover, ["nonesuch"]) == {}


def test_link_facts_are_those_of_ip(veth: Veth) -> None:
    veth.node.ip("link", "set", veth.ifname, "mtu", "1400")
    link, found = veth.node.links()[veth.ifname], nic(veth)
    assert (found.ifindex, found.mac, found.kind, found.pci) == (link["ifindex"], link["address"], "virtual", None)
    assert found.settings[Setting.MTU].values == {"mtu": 1400}
    assert found.settings[Setting.MTU].maxima == {"mtu": link["max_mtu"]}
    assert (found.up, found.carrier) == (True, True)


def test_carrier_changes_are_counted_as_ip_counts_them(veth: Veth) -> None:
    before = nic(veth).carrier_changes
    veth.wire.ip("link", "set", veth.wire_ifname, "down")
    found = nic(veth)
    shown = json.loads(veth.node.ip("-s", "-s", "-j", "link", "show", veth.ifname))[0]
    assert not found.carrier
    assert found.carrier_changes == shown.get("carrier_changes", before + 1) == before + 1


@requires_ethtool
def test_driver_identity_is_that_of_ethtool(veth: Veth) -> None:
    shown = dict(
        line.split(": ", 1) for line in veth.node.command("ethtool", "-i", veth.ifname).splitlines() if ": " in line
    )
    found = nic(veth)
    assert (found.driver, found.driver_version) == (shown["driver"], shown["version"])
    assert (found.firmware, found.bus_address) == (shown.get("firmware-version", ""), shown.get("bus-info", ""))


@requires_ethtool
def test_speed_is_that_of_ethtool(veth: Veth) -> None:
    assert f"Speed: {nic(veth).speed_mbps}Mb/s" in veth.node.command("ethtool", veth.ifname)


def test_setting_that_the_driver_lacks_has_a_reason_instead_of_values(veth: Veth) -> None:
    found = nic(veth)
    assert set(found.settings) == SETTINGS_OF_VETH
    assert "RINGS_GET" in found.unsupported[Setting.RINGS]
    assert "GRSSH" in found.unsupported[Setting.RSS]


def test_reason_says_when_the_interface_is_down_because_some_drivers_then_hide_settings(veth: Veth) -> None:
    assert "down" not in nic(veth).unsupported[Setting.RSS]
    veth.node.ip("link", "set", veth.ifname, "down")
    assert "interface is down" in nic(veth).unsupported[Setting.RSS]


def test_bridge_above_is_an_upper_device(veth: Veth) -> None:
    veth.node.ip("link", "add", "br0", "type", "bridge")
    veth.node.ip("link", "set", veth.ifname, "master", "br0")
    assert nic(veth).upper == ("br0",)


def test_device_stacked_on_top_is_an_upper_device(veth: Veth) -> None:
    veth.node.ip("link", "add", "link", veth.ifname, "name", "on_top", "type", "macvlan")
    assert nic(veth).upper == ("on_top",)


def test_peer_of_a_veth_is_no_upper_device(namespaces: Factory) -> None:
    both = namespaces.netns()
    both.ip("link", "add", "left", "type", "veth", "peer", "name", "right")
    assert both.run(discover, ["left"])["left"].upper == ()


def test_peer_mtu_is_read_in_the_other_namespace(veth: Veth) -> None:
    veth.wire.ip("link", "set", veth.wire_ifname, "mtu", "3000")
    found = nic(veth)
    assert found.peer_mtu == 3000
    assert found.peer_tx_queues is None


@requires_ethtool
def test_peer_queues_are_those_in_use_not_those_allocated(namespaces: Factory) -> None:
    both = namespaces.netns()
    shape = ["numrxqueues", "4", "numtxqueues", "4"]
    both.ip("link", "add", "left", *shape, "type", "veth", "peer", "name", "right", *shape)
    both.command("ethtool", "-L", "right", "tx", "3")
    found = both.run(discover, ["left"])["left"]
    assert (found.peer_mtu, found.peer_tx_queues) == (1500, 3)


def attached(name: str, ifname: str, flags: int) -> List[Any]:
    """Runs inside: attach by bpf_link, discover; the ids as the kernel prints them in fdinfo."""
    program = helpers_xdp.load(name)
    link = helpers_xdp.link(program, socket.if_nametoindex(ifname), flags)
    ids = [helpers_xdp.ident(program, "prog_id"), helpers_xdp.ident(link, "link_id")]
    found = discover([ifname])[ifname]
    os.close(link)
    return [found, discover([ifname])[ifname], *ids]


@requires("bpf")
@pytest.mark.parametrize(
    ("flags", "mode"), [(helpers_xdp.NATIVE, XdpMode.NATIVE), (helpers_xdp.GENERIC, XdpMode.GENERIC)]
)
def test_program_behind_a_link_is_seen_with_its_name_mode_and_link(veth: Veth, flags: int, mode: XdpMode) -> None:
    found, after, prog_id, link_id = veth.node.run(attached, "drop_them_all", veth.ifname, flags)
    assert (found.xdp.mode, found.xdp.prog_id, found.xdp.prog_name) == (mode, prog_id, "drop_them_all")
    assert (found.xdp.link_id, found.xdp.pipeline) == (link_id, None)
    assert after.xdp is None


def attached_by_bpftool(ifname: str, how: str) -> Optional[Any]:
    program = helpers_xdp.load("foreign")
    number = str(helpers_xdp.ident(program, "prog_id"))
    subprocess.run(["bpftool", "net", "attach", how, "id", number, "dev", ifname], check=True)
    found = discover([ifname])[ifname].xdp
    subprocess.run(["bpftool", "net", "detach", how, "dev", ifname], check=True)
    return found


@requires("bpf")
@requires_bpftool
@pytest.mark.parametrize(("how", "mode"), [("xdpdrv", XdpMode.NATIVE), ("xdpgeneric", XdpMode.GENERIC)])
def test_program_attached_over_netlink_has_no_link(veth: Veth, how: str, mode: XdpMode) -> None:
    found = veth.node.run(attached_by_bpftool, veth.ifname, how)
    assert (found.mode, found.prog_name, found.link_id) == (mode, "foreign", None)


def link_of_another_namespace(ifname: str, path: str, other: str) -> Sequence[Any]:
    """The same ifindex carries one program in each namespace; the other one's link is the older one."""
    keep = os.open("/proc/self/ns/net", os.O_RDONLY)
    enter_network(Path(path))
    program = helpers_xdp.load("there")
    elsewhere = helpers_xdp.link(program, socket.if_nametoindex(other), helpers_xdp.GENERIC)
    enter_network(Path(f"/proc/self/fd/{keep}"))
    held = helpers_xdp.link(helpers_xdp.load("here"), socket.if_nametoindex(ifname), helpers_xdp.GENERIC)
    found = discover([ifname])[ifname].xdp
    answer = [found, helpers_xdp.ident(held, "link_id")]
    os.close(elsewhere)
    os.close(held)
    return answer


@requires("bpf")
def test_link_of_another_namespace_with_the_same_ifindex_is_not_mistaken(veth: Veth) -> None:
    found, wanted = veth.node.run(link_of_another_namespace, veth.ifname, str(veth.wire.path), veth.wire_ifname)
    assert veth.node.links()[veth.ifname]["ifindex"] == veth.wire.links()[veth.wire_ifname]["ifindex"]
    assert (found.prog_name, found.link_id) == ("here", wanted)


class Failing:
    """A room whose driver fails."""

    def __init__(self, code: int) -> None:
        self.code = code

    def read(self, port: Any) -> Any:
        raise KernelRefusal(f"ethtool EEE_GET {port.name}", self.code)


def discover_with(rooms: Any, name: str) -> Dict[str, Nic]:
    module = sys.modules[discover.__module__]
    module.ROOMS = rooms  # type: ignore[attr-defined]  # in a worker, which ends after it
    return discover([name])


def test_driver_that_fails_at_one_setting_keeps_all_others(veth: Veth) -> None:
    found = veth.node.run(discover_with, {**ROOMS, Setting.EEE: Failing(errno.EIO)}, veth.ifname)[veth.ifname]
    assert set(found.settings) == SETTINGS_OF_VETH
    assert found.unsupported[Setting.EEE].startswith(f"ethtool EEE_GET {veth.ifname}: EIO")


def test_interface_that_goes_meanwhile_is_no_nic_without_settings(veth: Veth) -> None:
    with pytest.raises(KernelRefusal) as refused:
        veth.node.run(discover_with, {**ROOMS, Setting.EEE: Failing(errno.ENODEV)}, veth.ifname)
    assert refused.value.code == errno.ENODEV
