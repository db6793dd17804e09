# SPDX-License-Identifier: GPL-3.0-or-later
"""irqbalance moves interrupts between CPUs every ten seconds, except those that it is told to leave alone.

What it was told is on its command line (``--banirq``, ``--banmod``; irqbalance(1) of 1.9), or over its socket,
which the setting ``irqbalance`` reads. A ban by a policy script cannot be seen.
"""

from __future__ import annotations

import re
from typing import Iterable, List, Optional, Set, Tuple

from ..kernel.interrupts import queue_of
from ..model.claim import Claim
from ..model.settings import Setting
from .manager import Subject
from .tree import Tree

NAME = "irqbalance"
_SOCKETS = "/run/irqbalance"
_CONFIGURED = ("/etc/default/irqbalance", "/etc/sysconfig/irqbalance", "/usr/lib/irqbalance/defaults.env")


def claims(tree: Tree, subject: Subject) -> Iterable[Claim]:
    """None for a NIC that has no message-signalled interrupts, or all of whose interrupts are banned."""
    interrupts = _interrupts(tree, subject.nic.name)
    if not interrupts:
        return
    pid = _pid(tree)
    told = subject.nic.settings.get(Setting.IRQBALANCE)
    if pid is None or (told and told.values.get("keeps-off")):
        return
    banned, modules = bans((tree.text(f"/proc/{pid}/cmdline") or "").split("\0"))
    if subject.nic.driver in modules or (banned and not _of_queues(tree, subject.nic.name, interrupts - banned)):
        return
    file = next((path for path in _CONFIGURED if tree.exists(path)), f"/proc/{pid}/cmdline")
    yield Claim(NAME, file, None, f"runs as process {pid}", Setting.IRQ_AFFINITY, "cpus", None)


def bans(arguments: List[str]) -> Tuple[Set[int], Set[str]]:
    """The interrupts and the modules' names that irqbalance leaves alone."""
    joined = " ".join(argument.strip() for argument in arguments)
    numbers = re.findall(r"(?:^| )(?:--banirq[= ]|-i ?)(\d{1,9})\b", joined)
    modules = re.findall(r"(?:^| )(?:--banmod[= ]|-m ?)([\w-]+)", joined)
    return {int(number) for number in numbers}, set(modules)


def _pid(tree: Tree) -> Optional[str]:
    """By its socket (irqbalancePID.sock, since 1.3), systemd's control group, or the PID file."""
    names = [name[len("irqbalance") : -len(".sock")] for name in tree.names(_SOCKETS, ".sock")]
    listed = (tree.text("/sys/fs/cgroup/system.slice/irqbalance.service/cgroup.procs") or "").split()
    written = (tree.text("/run/irqbalance.pid") or "").split()
    for pid in (*names, *listed, *written):
        if pid.isdigit() and (tree.text(f"/proc/{pid}/comm") or "").strip() == NAME:
            return pid
    return None


def _of_queues(tree: Tree, name: str, numbers: Set[int]) -> Set[int]:
    """Those of link changes and of the firmware may be moved: only queues are spread by us."""
    named = {number: (tree.text(f"/sys/kernel/irq/{number}/actions") or "").strip() for number in numbers}
    return {number for number, action in named.items() if queue_of(name, action) is not None}


def _interrupts(tree: Tree, name: str) -> Set[int]:
    """A virtio device has none of its own: those of the PCI function below it."""
    device = f"/sys/class/net/{name}/device"
    for folder in (f"{device}/msi_irqs", f"{device}/../msi_irqs"):
        found = {int(entry) for entry in tree.names(folder) if entry.isdigit()}
        if found:
            return found
    return set()
