# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that cost too much to be read each time: only what somebody asks for is read."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Mapping, Sequence

from ..errors import KernelRefusal, ToolFailed
from ..kernel.port import Port
from ..model.nic import Nic
from ..model.node import Node
from ..model.settings import Setting
from .table import ON_DEMAND

Asked = Mapping[str, Mapping[Setting, Sequence[str]]]
"""NIC -> setting -> the keys that are wanted; no keys: all that there are."""


def with_asked(node: Node, asked: Asked) -> Node:
    """The node with what was asked for, or with the reason why it cannot be read.

    Raises :class:`KernelRefusal` for an interface that has gone.
    """
    if not any(asked.values()):
        return node
    return replace(node, nics={name: _with(nic, asked.get(name, {})) for name, nic in node.nics.items()})


def _with(nic: Nic, asked: Mapping[Setting, Sequence[str]]) -> Nic:
    settings, unsupported = dict(nic.settings), dict(nic.unsupported)
    for setting, keys in asked.items():
        try:
            settings[setting] = ON_DEMAND[setting].read(Port(nic.name, nic.ifindex), keys)
        except ToolFailed as error:
            unsupported[setting] = error.problem.rstrip(".")
        except KernelRefusal as error:
            if error.code == errno.ENODEV:
                raise
            unsupported[setting] = error.call
    return replace(nic, settings=settings, unsupported=unsupported)
