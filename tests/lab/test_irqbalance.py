# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's irqbalance beside a run: it moves interrupts of queues, unless it was told to keep off."""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Set

import pytest

from tests.depth import deep

from . import Node
from .site import IGB, INTERFACES, VIRTIO, Site

NICS = ("igb", "virtio:queues=4:rss=on")
OURS, OTHER = INTERFACES[IGB], INTERFACES[VIRTIO]
ANYWHERE = "0-1"
SECONDS = 2
LEFT_ALONE = {"irqbalance": {"keeps-off": None}, "irq_affinity": {"cpus": None}}

TELL = """
import glob, socket, sys
talk = socket.socket(socket.AF_UNIX)
talk.connect(glob.glob("/run/irqbalance/*.sock")[0])
talk.sendall(sys.argv[1].encode())
print(talk.recv(4096).decode())
"""


@pytest.fixture(scope="module")
def machine(module_node: Callable[..., Node]) -> Node:
    """A node on which irqbalance looks every two seconds."""
    found = module_node("6.12", *NICS)
    found.ssh(f"echo 'IRQBALANCE_ARGS=-t {SECONDS}' >> /etc/default/irqbalance && systemctl start irqbalance")
    found.until("test -S /run/irqbalance/irqbalance$(pidof irqbalance).sock")
    return found


@pytest.fixture(scope="module")
def site(machine: Node) -> Site:
    """Our NIC with all of its profile; the other one belongs to irqbalance."""
    found = Site(machine, {OURS: {"pipeline": "scrubber"}, OTHER: {"tuning": LEFT_ALONE}})
    found.quiet()
    return found


def release(site: Site) -> None:
    """Our NIC, too, belongs to irqbalance."""
    tuning = {"irqbalance": {"keeps-off": False}, "irq_affinity": {"cpus": None}}
    Site(site.node, {OURS: {"pipeline": "scrubber", "tuning": tuning}}).run()


def vectors(machine: Node, interface: str) -> List[str]:
    """Interrupts of the interface's queues, as /proc/interrupts names them."""
    device = f"/sys/class/net/{interface}/device"
    own = machine.out(f"ls {device}/msi_irqs {device}/../msi_irqs 2>/dev/null || true").split()
    lines = [line.split() for line in machine.out("cat /proc/interrupts").splitlines()[1:]]
    return [row[0][:-1] for row in lines if row[0][:-1] in own and re.search(r"rx|tx|put\.", row[-1], re.IGNORECASE)]


def placed(machine: Node, interface: str) -> Dict[str, str]:
    return {irq: machine.out(f"cat /proc/irq/{irq}/smp_affinity_list") for irq in vectors(machine, interface)}


def allow_anywhere(machine: Node, interface: str) -> None:
    """As nobody leaves it who places interrupts: irqbalance gives each of them one CPU."""
    for irq in vectors(machine, interface):
        machine.ssh(f"echo {ANYWHERE} > /proc/irq/{irq}/smp_affinity_list")


def tell(machine: Node, request: str) -> str:
    """As irqbalance-ui would; the kernel adds root's credentials."""
    return machine.ssh(f"python3 - '{request}'", feed=TELL).stdout


def banned(machine: Node) -> Set[str]:
    return set(re.findall(r"IRQ (\d+)", tell(machine, "setup")))


def rebalance(site: Site) -> None:
    """Have irqbalance place all interrupts that it may, and wait until it has: the other NIC's are moved."""
    allow_anywhere(site.node, OTHER)
    site.node.ssh("kill -HUP $(pidof irqbalance)")
    site.until(lambda: ANYWHERE not in placed(site.node, OTHER).values(), "irqbalance moved nothing", 60)


@deep
def test_interrupts_that_nobody_spoke_for_are_moved(site: Site) -> None:
    """What the next test would look like if irqbalance had not been told."""
    release(site)
    allow_anywhere(site.node, OURS)
    rebalance(site)
    assert ANYWHERE not in placed(site.node, OURS).values()


def test_interrupts_of_a_tuned_nic_stay_where_they_are(site: Site) -> None:
    """Where irqbalance would not leave them: it gives an interrupt one CPU, never two."""
    site.run()
    before = placed(site.node, OURS)
    assert sorted(set(before.values())) == ["0", "1"]
    allow_anywhere(site.node, OURS)
    rebalance(site)
    assert set(placed(site.node, OURS).values()) == {ANYWHERE}


@deep
def test_ban_of_others_outlives_ours(site: Site) -> None:
    theirs = vectors(site.node, OTHER)[0]
    tell(site.node, f"settings ban irqs {theirs}")
    site.run()
    assert banned(site.node) == {theirs, *vectors(site.node, OURS)}
    release(site)
    assert banned(site.node) == {theirs}


@deep
def test_restarted_irqbalance_is_told_again(site: Site) -> None:
    site.run()
    site.node.ssh("systemctl restart irqbalance")
    site.node.until("test -S /run/irqbalance/irqbalance$(pidof irqbalance).sock")
    assert f"{OURS}.irqbalance.keeps-off" in site.drift()
    steps = [step["resource"] for step in site.run().node(site.node.name)["steps"]]
    assert "irqbalance" in steps and site.drift() == []


@deep
def test_node_without_irqbalance_hears_nothing_of_it(site: Site) -> None:
    site.run()
    site.node.ssh("systemctl stop irqbalance")
    try:
        play = site.run()
        assert play.changed(site.node.name) == 0 and "irqbalance" not in play.output
    finally:
        site.node.ssh("systemctl start irqbalance")
