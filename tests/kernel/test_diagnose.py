# SPDX-License-Identifier: GPL-3.0-or-later
"""The first cause that a diagnosis names on a veth pair, for losses made on purpose."""

from __future__ import annotations

import errno
from typing import Any, Callable, Dict, List

import pytest

from tests.pipelines import scrubber, small
from tests.probes import requires, requires_bpf
from wirespeed.diagnose_engine import diagnose
from wirespeed.gather import BUILT_IN_PROFILES, built_in_probes
from wirespeed.profiles.load import load

from .conftest import Places
from .frames import frame_v4, send
from .netns import Veth
from .pipelines_here import Node, attach_step

pytestmark = [requires_bpf, requires("clang")]

DENIED, CLEAN = frame_v4("192.0.2.9"), frame_v4("198.51.100.9")
TO = """
WS_RODATA(__u32, to) = 0;
SEC("xdp") int small(struct xdp_md *ctx) { return bpf_redirect(to, 0); }
char _license[] SEC("license") = "GPL";
"""
ABORT = 'SEC("xdp") int small(struct xdp_md *ctx) { return XDP_ABORTED; } char _license[] SEC("license") = "GPL";'
Told = Dict[str, Any]


def diagnosed(veth: Veth, frames: List[bytes]) -> Told:
    """While these frames come in; within the node's namespace."""
    profiles = load([BUILT_IN_PROFILES])
    return diagnose(veth.ifname, profiles, built_in_probes(), lambda: veth.wire.run(send, veth.wire_ifname, frames))


def on_node(veth: Veth, run: Callable[[], Told]) -> Told:
    for netns, name in ((veth.node, veth.ifname), (veth.wire, veth.wire_ifname)):
        netns.command("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
    return dict(veth.node.run(run))


def test_what_the_pipeline_drops_on_purpose_is_no_loss(veth: Veth, places: Places) -> None:
    def run() -> Told:
        node = Node(scrubber())
        node.run(scrubber(), ("192.0.2.0/24",))
        node.do(attach_step(veth.ifname, "scrubber"))
        return diagnosed(veth, [DENIED] * 70 + [CLEAN] * 30)

    told = on_node(veth, run)
    (cause,) = told["causes"]
    assert (cause["stage"], cause["frames"], told["lost"]) == ("policy", 0, 0)
    assert cause["evidence"] == ["verdicts: deny_prefix_v4 70, pass 30"]


def test_without_a_loss_nothing_is_blamed(veth: Veth, places: Places) -> None:
    told = on_node(veth, lambda: diagnosed(veth, [CLEAN] * 20))
    assert [cause["stage"] for cause in told["causes"]] == ["nothing"]
    assert told["evidence"]["queues"] in ({}, {"0": 20}), "without a program veth does not count by queue"


def redirected(veth: Veth, target: int) -> Told:
    def run() -> Told:
        source = small(TO, constants={"to": target})
        node = Node(source)
        node.run(source, ())
        node.do(attach_step(veth.ifname, "small"))
        return diagnosed(veth, [CLEAN] * 40)

    return on_node(veth, run)


def test_a_redirect_to_a_port_that_takes_none_is_named_with_its_errno(veth: Veth, places: Places) -> None:
    told = redirected(veth, veth.node.links()["lo"]["ifindex"])
    assert told["causes"][0]["stage"] == "redirect" and told["causes"][0]["frames"] == 40, told["causes"]
    assert told["evidence"]["redirect_errors"] == {str(errno.EOPNOTSUPP): 40}


def test_a_redirect_to_a_port_without_program_is_named_with_its_errno(veth: Veth, places: Places) -> None:
    """veth takes XDP frames only while its peer has a program or GRO. Since Linux 6.3 the core asks its features and
    says EOPNOTSUPP, before that the driver said ENXIO (drivers/net/veth.c veth_xdp_xmit)."""
    veth.node.ip("link", "add", "there", "type", "veth", "peer", "name", "back")
    for name in ("there", "back"):
        veth.node.ip("link", "set", name, "up")
    told = redirected(veth, veth.node.links()["there"]["ifindex"])
    assert told["causes"][0]["stage"] == "redirect", told["causes"]
    assert set(told["evidence"]["redirect_errors"]) <= {str(errno.EOPNOTSUPP), str(errno.ENXIO)}
    assert told["causes"][0]["frames"] == 40


def test_a_program_that_fails_is_named(veth: Veth, places: Places) -> None:
    def run() -> Told:
        node = Node(small(ABORT))
        node.run(small(ABORT), ())
        node.do(attach_step(veth.ifname, "small"))
        return diagnosed(veth, [CLEAN] * 25)

    told = on_node(veth, run)
    assert (told["causes"][0]["stage"], told["causes"][0]["frames"]) == ("program", 25), told["causes"]


def test_what_the_program_costs_and_where_the_time_went_is_told(veth: Veth, places: Places) -> None:
    def run() -> Told:
        node = Node(scrubber())
        node.run(scrubber(), ("192.0.2.0/24",))
        node.do(attach_step(veth.ifname, "scrubber"))
        return diagnosed(veth, [CLEAN] * 50)

    evidence = on_node(veth, run)["evidence"]
    assert evidence["program"]["runs"] == 50 and evidence["program"]["nanoseconds"] > 0
    assert evidence["cpus"] and all(0 <= use["softirq"] <= 1 for use in evidence["cpus"].values())


def test_how_long_each_cpu_took_no_interrupt_is_told(veth: Veth, places: Places) -> None:
    told = on_node(veth, lambda: diagnosed(veth, [CLEAN] * 20))
    online = set(told["evidence"]["cpus"])
    assert online <= set(told["evidence"]["stalls"]) and not [text for text in told["unseen"] if "kept" in text]


@pytest.mark.parametrize("name", ["nowhere", "", "x" * 40])
def test_a_nic_that_is_not_there_is_told(veth: Veth, places: Places, name: str) -> None:
    def run() -> Told:
        try:
            return diagnose(name, load([BUILT_IN_PROFILES]), built_in_probes(), lambda: None)
        except Exception as error:  # pylint: disable=broad-exception-caught  # what a user would see
            return {"error": f"{type(error).__name__}: {error}"}

    assert "is not on this node" in on_node(veth, run)["error"]
