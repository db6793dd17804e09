# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module of ``managers/`` offers, and what it is asked about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Mapping, Protocol

from ..model.claim import Claim
from ..model.nic import Nic
from .tree import Tree


@dataclass(frozen=True)
class Subject:
    """A NIC, and what udev says of its interface (``ID_NET_LINK_FILE`` ...; empty without udev)."""

    nic: Nic
    properties: Mapping[str, str] = field(default_factory=dict)


class Manager(Protocol):
    """A module with this function.

    It reads files through ``tree`` alone, so that a test gives a tree of its own, and a host without
    this manager costs a few calls to stat. It never raises: what cannot be understood is a note of the tree.
    """

    def claims(self, tree: Tree, subject: Subject) -> Iterable[Claim]: ...
