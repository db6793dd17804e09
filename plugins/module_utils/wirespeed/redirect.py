# SPDX-License-Identifier: GPL-3.0-or-later
"""The NICs into which others redirect: they take part in a run also where no entry of the intent names them."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Mapping, Sequence

from .errors import BadInput, Place
from .model.intent import PASS, Intent, NicIntent, Workload
from .model.nic import Nic, XdpMode
from .model.node import Node
from .model.step import Disruption
from .profiles.document import ProfileSet
from .profiles.resolve import resolve
from .selection import Selected, select


def select_with_targets(intent: Intent, node: Node, profiles: ProfileSet, place: Place) -> List[Selected]:
    """The intent's NICs, each with its entry, and then the targets that no entry names, to be left untuned.

    A target that can send redirected frames only under a program, and is to have none, gets :data:`PASS`.
    Raises :class:`BadInput` for a target that is not on this node.
    """
    selected = {nic.name: (nic, wanted) for nic, wanted in select(intent, node.nics, place)}
    for name, limit in _targets(intent, list(selected.values()), node.nics, place).items():
        unnamed = NicIntent("name", name, Workload.FORWARD, max_disruption=limit, profile_tuning=False)
        nic, wanted = selected.get(name, (node.nics[name], unnamed))
        if wanted.pipeline is None and _needs_program(nic, node, wanted, profiles):
            wanted = replace(wanted, pipeline=PASS, mode=XdpMode.NATIVE)
        selected[name] = (nic, wanted)
    return list(selected.values())


def _targets(
    intent: Intent, selected: Sequence[Selected], nics: Mapping[str, Nic], place: Place
) -> Dict[str, Disruption]:
    """By name, with the least that a NIC which redirects there allows."""
    found: Dict[str, Disruption] = {}
    for _nic, wanted in selected:
        for name in wanted.redirect_to:
            if name not in nics:
                raise BadInput(
                    place,
                    f"nics[{intent.nics.index(wanted)}].redirect_to",
                    f"{name!r} is not on this node.",
                    f"It has: {', '.join(nics) or 'no physical NIC'}.",
                )
            found[name] = min(found.get(name, Disruption.GAP), wanted.max_disruption, key=lambda each: each.rank)
    return found


def _needs_program(nic: Nic, node: Node, wanted: NicIntent, profiles: ProfileSet) -> bool:
    """Not where a program is that somebody else attached in the driver: it serves as well."""
    if nic.xdp is not None and nic.xdp.mode is XdpMode.NATIVE and nic.xdp.pipeline is None:
        return False
    return resolve(profiles, nic, node, wanted).redirect_target.value == "with_program"
