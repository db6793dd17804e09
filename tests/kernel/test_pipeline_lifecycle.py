# SPDX-License-Identifier: GPL-3.0-or-later
"""Load, configure, publish, attach and the way back, on a veth pair and the kernel of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
from typing import Any, List

import pytest

from tests.pipelines import OBJECTS, next_scrubber, scrubber
from tests.probes import requires, requires_bpf
from wirespeed.errors import KernelRefusal, Refused
from wirespeed.kernel.bpf_link import XdpLink
from wirespeed.model.nic import XdpMode
from wirespeed.model.step import Action
from wirespeed.pipeline import instance, protocol
from wirespeed.pipeline.garbage import collect
from wirespeed.pipeline.inventory import inventory

from .conftest import Places
from .netns import Veth, command
from .pipelines_here import Node, attach_step, configure_step, load_step, publish_step, step

pytestmark = [requires_bpf, requires("clang")]

PREFIXES = ("192.0.2.0/24", "203.0.113.7/32")


def running(nic: str, mode: XdpMode = XdpMode.NATIVE) -> Node:
    node = Node(scrubber())
    node.run(scrubber(), PREFIXES)
    node.do(attach_step(nic, "scrubber", mode))
    return node


def dismantle(node: Node, nic: str) -> None:
    node.do(attach_step(nic, "scrubber").inverted(), publish_step("scrubber", scrubber().generation, None))
    for generation in node.paths.generations("scrubber"):
        node.do(step(Action.UNLOAD, "scrubber", "instance", {"generation": generation, "digest": ""}, {}))


def test_inventory_finds_what_the_steps_made(veth: Veth, places: Places) -> None:
    def on_node() -> None:
        node = running(veth.ifname)
        found = inventory(node.paths)
        facts = found.instances[0]
        assert (facts.pipeline, facts.generation, facts.digest) == (
            "scrubber",
            scrubber().generation,
            scrubber().digest,
        )
        assert facts.published
        assert {name: rows for name, rows in facts.tables.items() if rows} == {"deny_v4": PREFIXES}
        link = found.links[0]
        assert (link.ifname, link.pipeline) == (veth.ifname, "scrubber")
        assert link.ifindex == socket.if_nametoindex(veth.ifname)

    veth.node.run(on_node)


@pytest.mark.parametrize("mode", [XdpMode.NATIVE, XdpMode.GENERIC])
def test_attaches_in_the_mode_that_was_asked_for(veth: Veth, places: Places, mode: XdpMode) -> None:
    def on_node() -> None:
        running(veth.ifname, mode)

    veth.node.run(on_node)
    mark = {XdpMode.NATIVE: 1, XdpMode.GENERIC: 2}[mode]
    assert veth.node.links()[veth.ifname]["xdp"]["mode"] == mark


def test_every_step_may_run_twice(veth: Veth, places: Places) -> None:
    def on_node() -> None:
        node = running(veth.ifname)
        before = inventory(node.paths)
        node.do(load_step(scrubber()), configure_step(scrubber(), "deny_v4", PREFIXES))
        node.do(publish_step("scrubber", None, scrubber().generation), attach_step(veth.ifname, "scrubber"))
        assert inventory(node.paths) == before

    veth.node.run(on_node)


def test_every_undo_may_meet_a_step_that_never_ran(veth: Veth, places: Places) -> None:
    def on_node() -> None:
        node = Node(scrubber())
        node.do(attach_step(veth.ifname, "scrubber").inverted())
        node.do(publish_step("scrubber", None, scrubber().generation).inverted())
        node.do(configure_step(scrubber(), "deny_v4", PREFIXES).inverted())
        node.do(load_step(scrubber()).inverted())
        assert inventory(node.paths).instances == ()

    veth.node.run(on_node)


def test_undoing_everything_leaves_an_empty_bpffs(veth: Veth, places: Places) -> None:
    def on_node() -> None:
        dismantle(running(veth.ifname), veth.ifname)

    veth.node.run(on_node)
    assert not (places.bpffs / "wirespeed").exists()
    assert "xdp" not in veth.node.links()[veth.ifname]


def test_two_nics_share_one_root(namespaces: Any, places: Places) -> None:
    first = namespaces.veth()
    second_wire = namespaces.netns()
    first.node.ip("link", "add", "ws1", "type", "veth", "peer", "name", "wire1", "netns", second_wire.name)

    def on_node() -> List[int]:
        node = running(first.ifname)
        node.do(attach_step("ws1", "scrubber"))
        return [link.prog_id for link in inventory(node.paths).links]

    programs = first.node.run(on_node)
    assert len(programs) == 2 and len(set(programs)) == 1


def test_the_kernel_answers_ip_link_off_with_ebusy(veth: Veth, places: Places) -> None:
    veth.node.run(lambda: running(veth.ifname) and None)
    answer = subprocess.run(
        veth.node.inside("ip", "link", "set", "dev", veth.ifname, "xdpdrv", "off"), capture_output=True, text=True
    )
    assert answer.returncode != 0
    assert "Can't replace active BPF XDP link" in answer.stderr


def test_a_second_loader_is_answered_ebusy(veth: Veth, places: Places) -> None:
    def second() -> None:
        node = running(veth.ifname)
        with node.root() as program:
            XdpLink.create(program, socket.if_nametoindex(veth.ifname), XdpMode.NATIVE, veth.ifname)

    with pytest.raises(KernelRefusal) as refusal:
        veth.node.run(second)
    assert refusal.value.code == 16


def test_a_foreign_program_is_named_and_left_alone(veth: Veth, places: Places) -> None:
    scrubber()
    pin = places.bpffs / "foreign"
    command("bpftool", "prog", "load", str(OBJECTS / "root.bpf.o"), str(pin))
    veth.node.command("bpftool", "net", "attach", "xdpdrv", "pinned", str(pin), "dev", veth.ifname)
    foreign = veth.node.links()[veth.ifname]["xdp"]["prog"]["id"]
    with pytest.raises(KernelRefusal, match=f"held by program {foreign} 'wirespeed_root', native mode, over netlink"):
        veth.node.run(lambda: running(veth.ifname) and None)
    assert veth.node.links()[veth.ifname]["xdp"]["prog"]["id"] == foreign


def test_a_refused_attach_tells_the_drivers_reason(veth: Veth, places: Places) -> None:
    """A veth's frames must fit a page, which the driver only says in an extack (drivers/net/veth.c)."""
    for netns, name in ((veth.node, veth.ifname), (veth.wire, veth.wire_ifname)):
        netns.ip("link", "set", name, "mtu", "9000")
    with pytest.raises(KernelRefusal, match="Peer MTU is too large to set XDP"):
        veth.node.run(lambda: running(veth.ifname) and None)


def test_a_link_detached_from_outside_is_dead_and_gets_replaced(veth: Veth, places: Places) -> None:
    def on_node() -> None:
        node = running(veth.ifname)
        command("bpftool", "link", "detach", "pinned", str(node.paths.link(veth.ifname)))
        dead = inventory(node.paths).links
        assert [(link.ifname, link.ifindex) for link in dead] == [(veth.ifname, 0)]
        node.do(attach_step(veth.ifname, "scrubber"))
        alive = inventory(node.paths).links
        assert len(alive) == 1 and alive[0].ifindex and alive[0].link_id != dead[0].link_id

    veth.node.run(on_node)


def test_a_renamed_nic_keeps_its_link(veth: Veth, places: Places) -> None:
    def on_node() -> None:
        node = running(veth.ifname)
        before = inventory(node.paths).links[0]
        for argument in (["down"], ["name", "lan.7"], ["up"]):
            subject = veth.ifname if argument != ["up"] else "lan.7"
            command("ip", "link", "set", subject, *argument)
        assert inventory(node.paths).links[0].ifname == "lan.7"
        node.do(attach_step("lan.7", "scrubber"))
        after = inventory(node.paths).links
        assert [link.link_id for link in after] == [before.link_id]
        assert os.listdir(node.paths.links) == ["lan%2e7"]

    veth.node.run(on_node)


def test_detach_leaves_a_link_of_another_pipeline(veth: Veth, places: Places) -> None:
    def on_node() -> None:
        node = running(veth.ifname)
        node.do(attach_step(veth.ifname, "other").inverted())
        assert len(inventory(node.paths).links) == 1

    veth.node.run(on_node)


def test_what_runs_cannot_be_unloaded(veth: Veth, places: Places) -> None:
    with pytest.raises(Refused, match="is the one that runs"):
        veth.node.run(lambda: running(veth.ifname).do(load_step(scrubber()).inverted()))


def test_a_root_whose_pins_were_removed_is_replaced_on_its_nics(veth: Veth, places: Places) -> None:
    def on_node() -> None:
        node = running(veth.ifname)
        old = inventory(node.paths).links[0].prog_id
        for pin in (node.paths.root("scrubber"), node.paths.slots("scrubber")):
            pin.unlink()
        assert inventory(node.paths).instances == ()
        node.run(scrubber(), PREFIXES)
        found = inventory(node.paths)
        assert found.instances[0].published
        assert found.links[0].prog_id != old
        node.do(attach_step(veth.ifname, "scrubber"))

    veth.node.run(on_node)


def test_collecting_keeps_what_runs_and_the_two_before_it(veth: Veth, places: Places) -> None:
    versions = [next_scrubber(f"0.2.{number}") for number in range(5)]

    def on_node() -> None:
        node = Node()
        for version in versions:
            Node(version).run(version)
        removed = collect(node.paths)
        assert removed == [f"scrubber/{version.generation}" for version in reversed(versions[:2])]
        assert set(node.paths.generations("scrubber")) == {version.generation for version in versions[2:]}
        assert instance.published(node.paths, "scrubber") == versions[-1].generation
        kept = {path.stem for path in (node.paths.state / "sources/scrubber").iterdir()}
        assert kept == {version.generation for version in versions[2:]}

    veth.node.run(on_node)


def test_a_generation_from_the_store_can_be_published_again(veth: Veth, places: Places) -> None:
    """An undo has only the step and the node's own store, as after a crash."""

    def on_node() -> None:
        old, new = scrubber(), next_scrubber()
        Node(old).run(old, PREFIXES)
        Node(new).run(new)
        Node().do(publish_step("scrubber", old.generation, new.generation).inverted())
        Node().do(load_step(new).inverted(), load_step(new))

    veth.node.run(on_node)


def test_pins_of_a_newer_protocol_are_refused(veth: Veth, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_node() -> None:
        node = running(veth.ifname)
        monkeypatch.setattr(protocol, "PROTOCOL", 1)  # to a version before this one, these pins are newer
        inventory(node.paths)

    with pytest.raises(Refused, match="version 2 of the pin protocol; this Wirespeed knows 1"):
        veth.node.run(on_node)
