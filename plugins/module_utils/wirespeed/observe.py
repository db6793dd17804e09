# SPDX-License-Identifier: GPL-3.0-or-later
"""Read everything about a node that a plan depends on. Changes nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Dict, Mapping, Optional, Sequence

from .kernel import cpu_power, host, rtnetlink
from .managers.table import with_claims
from .managers.tree import Tree
from .model.nic import Nic
from .model.node import Node
from .model.settings import Setting
from .nic.discover import discover
from .nic.uppers import session_path, uppers
from .pipeline.inventory import PinnedLink, inventory
from .pipeline.pins import Paths
from .pipeline.programs import Known
from .witness import read_witness


def observe(paths: Paths, names: Sequence[str] = ()) -> Node:
    """Physical NICs, and those of ``names`` that exist, virtual ones too."""
    found = inventory(paths)
    pinned = {link.ifname: link for link in found.links}
    nics = {
        name: _with_pipeline(nic, pinned.get(name), found.programs, read_witness(paths.run, name))
        for name, nic in discover(names).items()
    }
    tree = Tree()
    nics = with_claims(tree, nics)
    system = host.read()
    links = rtnetlink.links()
    return Node(
        hostname=os.uname().nodename,
        kernel=system.kernel,
        boot_id=system.boot_id,
        cpus=system.cpus_possible,
        cpus_online=system.cpus_online,
        cpus_by_numa=system.cpus_by_numa,
        ram_mib=system.ram_mib,
        libbpf=found.libbpf,
        nics=nics,
        instances=tuple(found.instances),
        roots=found.roots,
        notes=(*found.notes, *tree.notes),
        uppers=uppers(links),
        session=session_path(links),
        governors=cpu_power.governors(),
        idle=cpu_power.idle(),
    )


def _with_pipeline(
    nic: Nic, link: Optional[PinnedLink], programs: Mapping[int, Known], witness: Mapping[Setting, str]
) -> Nic:
    """Say which attachment is ours: the link that we pinned for this NIC, alive, by its id; over netlink, a program
    that we have pinned."""
    changes: Dict[str, object] = {"witness": witness}
    if link is not None:
        if nic.xdp is not None and nic.xdp.link_id == link.link_id:
            changes["xdp"] = replace(nic.xdp, pipeline=link.pipeline, runs=link.runs)
        else:
            changes["dead_link"] = link.pipeline
    elif nic.xdp is not None and nic.xdp.link_id is None and nic.xdp.prog_id in programs:
        ours = programs[nic.xdp.prog_id]
        changes["xdp"] = replace(nic.xdp, pipeline=ours.pipeline, runs=ours.runs)
    return replace(nic, **changes)  # type: ignore[arg-type]  # dataclasses.replace has no typed mapping form
