# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 between all steps of a run on real drivers: the next run converges, and nothing passed unfiltered in between.

From a node that filters to one that filters with other code, other rules and other settings, and back, once for each
state that a run of 13 steps goes through: the run is killed there, the next one undoes what was begun and comes to
the same end as a run that nobody killed. Every fourth point of the journal is tried, and in a deep run every one;
tests/kernel/test_killed_anywhere.py has every point. The way back has the same steps with before and after exchanged.

The hook is watched in two ways all the time. A probe in the kernel tells each time that a program is put on a NIC or
taken off, so no absence is too short to be seen. And frames from a denied source come in without a pause: none may
reach the stack, whatever the driver does inside.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Mapping

import pytest

from tests.depth import DEEP, deep

from . import Node
from .agent import Agent
from .site import DENIED_V4, DENIED_V6, Site

NICS = ("igb", "virtio:queues=4:rss=on")
IGB, VIRTIO = "enp1s0", "enp2s0"
TRACE = "/sys/kernel/tracing"
PROBE = "p:wirespeed_hook dev_xdp_install dev=dev->name:string prog=prog"  # net/core/dev.c
HERE: Dict[str, Any] = {
    "tables": {"deny_v4": [DENIED_V4], "deny_v6": [DENIED_V6]},
    IGB: {"rings": {"rx": 4096}, "rss_fields": {"udp4": "sd", "udp6": "sd"}, "coalesce": {"rx-usecs": 3}},
    VIRTIO: {"channels": {"combined": 2}, "txqueuelen": {"txqueuelen": 1000}},
}
THERE: Dict[str, Any] = {
    "tables": {"deny_v4": [DENIED_V4, "203.0.113.0/24"], "deny_v6": [DENIED_V6]},
    IGB: {"rings": {"rx": 1024}, "rss_fields": {"udp4": "sdfn", "udp6": "sdfn"}, "coalesce": {"rx-usecs": 50}},
    VIRTIO: {"channels": {"combined": 1}, "txqueuelen": {"txqueuelen": 2000}},
}
LEAST = 12
EVERY = 1 if DEEP else 8


def intent(wanted: Mapping[str, Any]) -> Dict[str, Any]:
    return {
        "nics": [{"name": name, "pipeline": "scrubber", "tuning": wanted[name]} for name in (IGB, VIRTIO)],
        "pipelines": [{"name": "scrubber", "tables": wanted["tables"]}],
    }


@dataclass
class Point:
    """What happened at one point: the killed run's last words, and what the next run said."""

    killed: str
    after: Dict[str, Any]
    looks: str
    taken_off: List[str]


class Walk:
    """A node that is sent from one state to another and back."""

    def __init__(self, site: Site, agent: Agent) -> None:
        self.site, self.agent = site, agent
        self._versions = (f"1.{number}.0" for number in itertools.count())
        self.at = HERE

    def run(self, wanted: Mapping[str, Any], version: str, **more: Any) -> Dict[str, Any]:
        return self.agent.request(intent=intent(wanted), version=version, carriers=[IGB, VIRTIO], **more)

    def whole(self, wanted: Dict[str, Any]) -> Dict[str, Any]:
        """A run that nobody kills."""
        self.at = wanted
        result: Dict[str, Any] = self.run(wanted, next(self._versions))["result"]
        return result

    def killed_at(self, point: int) -> Point:
        wanted = THERE if self.at is HERE else HERE
        version = next(self._versions)
        killed = self.run(wanted, version, point=point).get("killed", "")
        after = self.run(wanted, version)
        self.at = wanted
        assert "result" in after, f"{killed}: {after}"
        return Point(killed, after["result"], looks(self.site), taken_off(self.site))


def looks(site: Site) -> str:
    """Everything that was changed, as everybody's tools show it."""
    live = "$(ls -dt /sys/fs/bpf/wirespeed/scrubber/*/maps | head -1)"
    tools = [f"ethtool {option} {nic}" for nic in (IGB, VIRTIO) for option in ("-g", "-l", "-x")]
    tools += [f"ethtool -c {IGB}", f"ethtool -n {IGB} rx-flow-hash udp4", f"ethtool -n {IGB} rx-flow-hash udp6"]
    tools += [f"cat /sys/class/net/{nic}/tx_queue_len" for nic in (IGB, VIRTIO)]
    tools += [f"ip -d link show {nic} | grep -o 'xdp/id\\|xdpgeneric/id'" for nic in (IGB, VIRTIO)]
    tools += [f"bpftool -j map dump pinned {live}/deny_v4_a | grep -o '\"formatted\".*'"]
    return site.node.out("; ".join(tools))


def taken_off(site: Site) -> List[str]:
    """NICs from which a program was taken since the last look, in order."""
    said = site.node.out(f"cat {TRACE}/trace; echo > {TRACE}/trace")
    events = re.findall(r'wirespeed_hook: .* dev="(\S+)" prog=0x(\w+)', said)
    return [nic for nic, program in events if int(program, 16) == 0]


@pytest.fixture(scope="module")
def site(module_node: Callable[..., Node]) -> Site:
    found = Site(module_node("6.12", *NICS), {name: {"pipeline": "scrubber"} for name in (IGB, VIRTIO)})
    found.quiet()
    return found


@pytest.fixture(scope="module")
def walk(site: Site) -> Iterator[Walk]:
    agent = Agent(site.node, "engine_agent.py")
    try:
        found = Walk(site, agent)
        found.whole(HERE)
        site.watch_stack(IGB)
        site.node.ssh(f"echo '{PROBE}' >> {TRACE}/kprobe_events; echo 1 > {TRACE}/events/kprobes/wirespeed_hook/enable")
        yield found
    finally:
        agent.close()


@deep
def test_after_each_point_the_next_run_comes_to_the_same_end(
    site: Site, walk: Walk, record_property: Callable[[str, object], None]
) -> None:
    ends = {}
    for state in (THERE, HERE):
        steps = walk.whole(state)["steps"]
        assert len(steps) >= LEAST
        ends[id(state)] = looks(site)
        announced = {step["target"] for step in steps if step["disruption"] == "gap"}
        assert announced == {VIRTIO} == set(taken_off(site))
    with site.traffic(0, source=DENIED_V4.replace("0/24", "7"), rate=100):
        points = list(every_point(walk, ends))
    record_property("told", f"kill -9 on igb and virtio_net: {len(points)} points, no denied frame in the stack")
    assert len(points) >= 2 * LEAST // EVERY  # a record before each step, and one after it
    assert site.stack(IGB)[0] == 0, "frames from a denied source reached the stack"
    assert site.verdicts()["deny_prefix_v4"] > 0, "no frame came in"


def every_point(walk: Walk, ends: Mapping[int, str]) -> Iterator[Point]:
    """Until a run is no longer killed, because it has no such point."""
    for number in itertools.count(1, EVERY):
        point = walk.killed_at(number)
        if not point.killed:
            return
        where = f"point {number}: {point.killed}"
        assert point.looks == ends[id(walk.at)], where
        begun = number // 2 if "journal's end" not in point.killed else None
        assert begun is None or len(point.after["recovered"]) == begun, where
        assert set(point.taken_off) <= {VIRTIO}, f"{where}: only virtio_net has a step that announces a gap"
        yield point
