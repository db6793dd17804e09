# SPDX-License-Identifier: GPL-3.0-or-later
"""Of programs that someone else attached and that are to be adopted: whether a root of ours could call them."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict

from .bundle import Bundle
from .model.intent import Foreign, Intent
from .model.nic import Nic
from .model.node import Node
from .pipeline import adopt
from .selection import matches


def with_fits(node: Node, intent: Intent, bundle: Bundle) -> Node:
    """The node with :attr:`~.model.nic.XdpAttachment.fits` told where an entry says ``foreign: adopt``."""
    wanted = [each for each in intent.nics if each.foreign is Foreign.ADOPT and each.pipeline in bundle.pipelines]
    nics: Dict[str, Nic] = {}
    for nic in node.nics.values():
        entry = next((each for each in wanted if matches(nic, each)), None)
        if entry is None or nic.xdp is None or nic.xdp.pipeline is not None:
            continue
        support = bundle.pipelines[str(entry.pipeline)].support
        nics[nic.name] = replace(nic, xdp=replace(nic.xdp, fits=adopt.fit(nic.xdp.prog_id, support)))
    return replace(node, nics={**node.nics, **nics}) if nics else node
