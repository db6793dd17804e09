# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that one NIC's program redirects into another arrive after a run that names it, and not before."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Sequence

import pytest

from tests.probes import requires
from wirespeed import engine
from wirespeed.errors import Refused
from wirespeed.gather import gather, pipelines_of

from .conftest import Places
from .frames import frame_v4, send
from .netns import Factory, Netns, command

pytestmark = [requires("bpf", "clang")]

PROGRAM = r"""
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

volatile const __u32 target = 0;

SEC("xdp")
int onward(struct xdp_md *ctx)
{
	return bpf_redirect(target, 0);
}

char _license[] SEC("license") = "GPL";
"""
MANIFEST = "manifest: 1\nname: onward\nversion: '1'\nobject: onward.bpf.o\nentry: onward\nconstants: {target: 0}\n"
TAKES_UNDER_A_PROGRAM = "profile: site\nmatch: {driver: veth}\nredirect_target: {value: with_program}\n"
FRAMES = 50


@dataclass(frozen=True)
class Router:
    """``ws0`` and ``ws1`` are the node's, ``wire0`` and ``wire1`` are their other ends."""

    node: Netns
    into: Netns
    beyond: Netns
    manifest: Path

    def intent(self, **nic: Any) -> Dict[str, Any]:
        target = self.node.run(socket.if_nametoindex, "ws1")
        asked = {"name": "ws0", "pipeline": "onward", "workload": "forward", **nic}
        onward = {"name": "onward", "manifest": str(self.manifest), "constants": {"target": target}}
        return {"nics": [asked], "pipelines": [onward]}

    def converge(self, profiles: Sequence[str] = (), **nic: Any) -> Dict[str, Any]:
        wanted = self.intent(**nic)
        bundle = gather(pipelines_of(wanted), profiles, Path.cwd())
        return dict(self.node.run(engine.converge, wanted, bundle, False))

    def arrived(self) -> int:
        link = json.loads(self.beyond.ip("-s", "-j", "link", "show", "wire1"))[0]
        return int(link["stats64"]["rx"]["packets"])

    def sent(self, expected: int) -> int:
        """How many of the frames that come into ``ws0`` leave by ``ws1``, once the program has had them all."""
        before = self.arrived()
        assert self.into.run(send, "wire0", [frame_v4("192.0.2.1")] * FRAMES) == FRAMES
        deadline = time.monotonic() + 5
        while (self._passed() < FRAMES or self.arrived() - before < expected) and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.arrived() - before

    def _passed(self) -> int:
        """Frames that the program has had, wherever they went."""
        text = self.node.command("ethtool", "-S", "ws0")
        return sum(int(line.split(":")[1]) for line in text.splitlines() if "xdp_packets" in line)


@pytest.fixture
def router(namespaces: Factory, tmp_path: Path) -> Router:
    first = namespaces.veth()
    beyond = namespaces.netns()
    add = ("ip", "-netns", first.node.name, "link", "add", "ws1", "type", "veth", "peer", "name", "wire1")
    command(*add, "netns", beyond.name)
    for made in (first.node, first.wire, beyond):  # no frames but the test's own
        made.command("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
    first.node.ip("link", "set", "ws1", "up")
    beyond.ip("link", "set", "wire1", "up")
    (tmp_path / "onward.bpf.c").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "onward.pipeline.yml").write_text(MANIFEST, encoding="utf-8")
    headers = f"-I/usr/include/{command('gcc', '-print-multiarch').strip()}"
    command("clang", "-O2", "-g", "-target", "bpf", headers, "-c", str(tmp_path / "onward.bpf.c"),
            "-o", str(tmp_path / "onward.bpf.o"))  # fmt: skip
    return Router(first.node, first.wire, beyond, tmp_path / "onward.pipeline.yml")


def steps(result: Dict[str, Any]) -> List[str]:
    return [f"{step['target']} {step['action']}" for step in result["steps"]]


@pytest.mark.usefixtures("places")
def test_frames_are_lost_where_nobody_said_that_they_are_redirected(router: Router) -> None:
    router.converge()
    assert router.sent(0) == 0


@pytest.mark.usefixtures("places")
def test_target_that_would_drop_them_is_refused_before_anything_is_attached(router: Router) -> None:
    with pytest.raises(Refused, match=r"ws1 cannot take redirected frames.*ethtool -K PEER gro on"):
        router.converge(redirect_to=["ws1"])
    assert "xdp" not in router.node.links()["ws0"]


@pytest.mark.usefixtures("places")
def test_frames_arrive_once_the_target_takes_them(router: Router) -> None:
    router.beyond.command("ethtool", "-K", "wire1", "gro", "on")
    result = router.converge(redirect_to=["ws1"])
    assert not any(step.startswith("ws1") for step in steps(result)), "it is a target without a program"
    assert router.sent(FRAMES) == FRAMES
    assert router.converge(redirect_to=["ws1"])["steps"] == []


def test_target_gets_the_passing_program_first_and_keeps_it(router: Router, places: Places, tmp_path: Path) -> None:
    """veth as if it were one of the many drivers that take redirected frames only under a program of their own."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "veth.yml").write_text(TAKES_UNDER_A_PROGRAM, encoding="utf-8")
    router.beyond.command("ethtool", "-K", "wire1", "gro", "on")
    site = [str(tmp_path / "site")]
    result = router.converge(site, redirect_to=["ws1"])
    attached = [each for each in steps(result) if each.endswith("attach")]
    assert attached == ["ws1 attach", "ws0 attach"]
    assert router.node.links()["ws1"]["xdp"]["mode"] == 1
    assert (places.bpffs / "wirespeed" / "pass").is_dir()
    assert router.sent(FRAMES) == FRAMES
    assert router.converge(site, redirect_to=["ws1"])["steps"] == []
