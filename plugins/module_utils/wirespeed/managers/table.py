# SPDX-License-Identifier: GPL-3.0-or-later
"""All managers, and what they claim of each NIC."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Mapping, Sequence, Tuple

from ..kernel import device_tree
from ..model.claim import Claim
from ..model.nic import Nic
from . import ifcfg, ifupdown, irqbalance, networkmanager, systemd, tuned, udev_rules
from .manager import Manager, Subject
from .tree import Tree
from .words import fitted

MANAGERS: Sequence[Manager] = (systemd, udev_rules, ifupdown, ifcfg, networkmanager, tuned, irqbalance)
"""About in the order in which a boot meets them. In a namespace of its own a NIC is met by irqbalance alone."""

_MAX_CLAIMS = 512


def with_claims(tree: Tree, nics: Mapping[str, Nic]) -> Dict[str, Nic]:
    """The NICs with what others claim of them. What could not be understood is in the tree's notes afterwards."""
    return {name: replace(nic, claims=claims(tree, Subject(nic, _udev(tree, nic)))) for name, nic in nics.items()}


def claims(tree: Tree, subject: Subject) -> Tuple[Claim, ...]:
    found: List[Claim] = []
    for manager in MANAGERS if tree.of_the_host() else (irqbalance,):
        found += fitted(manager.claims(tree, subject), subject.nic)
    return tuple(dict.fromkeys(found))[:_MAX_CLAIMS]


def _udev(tree: Tree, nic: Nic) -> Mapping[str, str]:
    """Nothing is asked of udev about an interface that it does not know."""
    return device_tree.properties(nic.name, nic.ifindex) if tree.exists(f"/run/udev/data/n{nic.ifindex}") else {}
