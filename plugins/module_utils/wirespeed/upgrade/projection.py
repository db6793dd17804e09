# SPDX-License-Identifier: GPL-3.0-or-later
"""The node as it will be right after a boot into a kernel, as far as that can be told beforehand. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from ..model.nic import Nic
from ..model.node import Node
from ..model.settings import Setting
from .evidence import DriverFacts, KernelFacts, Presence


def booted(node: Node, kernel: KernelFacts, running: Optional[KernelFacts] = None) -> Node:
    """Without programs and pins, which die with the kernel; without NICs that have no driver any more.

    Settings stand as they are now: what a driver's defaults are, only the driver tells. With ``running``, the private
    flags that it has and ``kernel`` has not are gone.
    """
    nics = {}
    for name, nic in node.nics.items():
        then, now = kernel.drivers.get(name), running.drivers.get(name) if running else None
        if then is None or then.presence is not Presence.ABSENT:
            nics[name] = _booted(nic, then, now)
    return replace(node, kernel=kernel.kernel, boot_id="", nics=nics, instances=(), roots=())


def _booted(nic: Nic, then: Optional[DriverFacts], now: Optional[DriverFacts]) -> Nic:
    bare = replace(nic, xdp=None, dead_link=None, witness={})
    if then is None or now is None:
        return bare
    gone = [flag for flag in nic.private_flags if flag_stays(flag, then) is False]
    settings = dict(nic.settings)
    facts = settings.get(Setting.PRIVATE_FLAGS)
    if facts is not None and gone:
        left = {key: value for key, value in facts.values.items() if key not in gone}
        settings[Setting.PRIVATE_FLAGS] = replace(facts, values=left)
        if not left:
            del settings[Setting.PRIVATE_FLAGS]
    features = nic.xdp_features if then.able("native") == now.able("native") else None
    flags = {key: value for key, value in nic.private_flags.items() if key not in gone}
    return replace(bare, settings=settings, private_flags=flags, xdp_features=features)


def flag_stays(flag: str, driver: DriverFacts) -> Optional[bool]:
    """None where the module does not tell. Its names are asked too: a table may lie in the code."""
    told = driver.private_flags
    return True if told is not None and flag in told else driver.holds(flag)
