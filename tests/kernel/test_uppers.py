# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on top of a NIC, on this kernel: seen as iproute2 made it, and respected as the kernel would act on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest

from tests.probes import requires
from wirespeed import engine
from wirespeed.errors import Refused
from wirespeed.gather import gather
from wirespeed.kernel import rtnetlink
from wirespeed.model.node import Member, Upper
from wirespeed.nic.uppers import uppers

from .netns import Netns, Veth

pytestmark = [requires("bpf")]

OBJECT = str(Path(engine.__file__).parent / "objects" / "pass.bpf.o")


def seen(node: Netns) -> Dict[str, Upper]:
    return dict(node.run(lambda: uppers(rtnetlink.links())))


def converge(veth: Veth, **nic: Any) -> Dict[str, Any]:
    wanted = {"nics": [{"name": "ws0", **nic}], "pipelines": [{"name": "scrubber"}] if "pipeline" in nic else []}
    bundle = gather(wanted["pipelines"], [], Path.cwd())
    return dict(veth.node.run(engine.converge, wanted, bundle, False))


def mtu(veth: Veth, ifname: str) -> int:
    return int(veth.node.links()[ifname]["mtu"])


def macvlan(veth: Veth) -> None:
    veth.node.ip("link", "add", "link", "ws0", "name", "mv0", "type", "macvlan")
    veth.node.ip("link", "set", "mv0", "up")


def test_bridge_is_seen_with_its_port(veth: Veth) -> None:
    veth.node.ip("link", "add", "br0", "type", "bridge")
    veth.node.ip("link", "set", "ws0", "master", "br0")
    assert seen(veth.node) == {"br0": Upper("br0", "bridge", False, 1500, (Member("ws0", True),))}


def test_macvlan_is_seen_with_what_it_was_made_on(veth: Veth) -> None:
    macvlan(veth)
    assert seen(veth.node) == {"mv0": Upper("mv0", "macvlan", True, 1500, (Member("ws0", True),))}


def test_member_that_is_down_does_not_serve(veth: Veth) -> None:
    macvlan(veth)
    veth.node.ip("link", "set", "ws0", "down")
    assert seen(veth.node)["mv0"].members == (Member("ws0", False),)


def test_two_ends_of_a_pair_lie_on_nothing(veth: Veth) -> None:
    assert seen(veth.node) == {}


@pytest.mark.usefixtures("places")
def test_mtu_that_would_shrink_what_is_on_top_is_refused_and_the_kernel_would_shrink_it(veth: Veth) -> None:
    macvlan(veth)
    with pytest.raises(Refused, match=r"MTU 1400 would shrink mv0 \(macvlan\) from 1500 to 1400"):
        converge(veth, tuning={"mtu": {"mtu": 1400}})
    assert mtu(veth, "ws0") == 1500
    veth.node.ip("link", "set", "ws0", "mtu", "1400")
    veth.node.ip("link", "set", "ws0", "mtu", "1500")
    assert mtu(veth, "mv0") == 1400, "the kernel lowered it, and did not give it back"


@pytest.mark.usefixtures("places")
def test_mtu_is_lowered_where_what_is_on_top_was_lowered_first(veth: Veth) -> None:
    macvlan(veth)
    veth.node.ip("link", "set", "mv0", "mtu", "1400")
    converge(veth, tuning={"mtu": {"mtu": 1400}})
    assert mtu(veth, "ws0") == 1400


@pytest.mark.usefixtures("places")
def test_program_on_top_rules_out_one_below_as_the_kernel_says(veth: Veth) -> None:
    macvlan(veth)
    veth.node.ip("link", "set", "mv0", "xdpgeneric", "object", OBJECT, "section", "xdp")
    with pytest.raises(Refused, match=r"mv0 \(macvlan\), which lies on top of it, carries an XDP program"):
        converge(veth, pipeline="scrubber")
    with pytest.raises(AssertionError, match="upper device already has a program"):
        veth.node.ip("link", "set", "ws0", "xdpdrv", "object", OBJECT, "section", "xdp")
    veth.node.ip("link", "set", "mv0", "xdpgeneric", "off")


@pytest.mark.usefixtures("places")
def test_run_over_ssh_tells_which_nic_it_came_over(veth: Veth, monkeypatch: pytest.MonkeyPatch) -> None:
    veth.node.ip("address", "add", "192.0.2.7/24", "dev", "ws0")
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 40000 192.0.2.7 22")
    warnings = converge(veth, tuning={"channels": {"rx": 4, "tx": 2}})["warnings"]
    assert any("ws0: this run's SSH connection came over it" in each for each in warnings)
