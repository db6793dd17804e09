# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of one kernel tell about the drivers of a node's NICs. Data, and questions to it; reads nothing.

Whatever files do not tell is None, and nothing is concluded from it.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from enum import Enum
from typing import FrozenSet, Mapping, Optional, Protocol, Tuple

from ..counters.table import RawName, Source
from ..model.node import Kernel


class Presence(str, Enum):
    """Where a kernel has a driver."""

    MODULE = "a module"
    BUILT_IN = "built in"
    ABSENT = "absent"

    def __str__(self) -> str:
        return self.value


class Names(Protocol):
    """The names that a module gives to its user: ``kernel/module_strings.py``."""

    def holds(self, name: str) -> Optional[str]:
        """How it stands there; None when it does not. ``{q}`` in it is any number."""


@dataclass(frozen=True)
class ModuleFacts:
    """One module. ``private_flags``, ``queue_stats`` and ``names`` are None where its file does not tell them.

    ``native`` is whether it runs XDP programs itself, ``zero_copy`` whether it has AF_XDP's zero copy, ``hints``
    whether it tells a program a frame's metadata.
    """

    name: str
    presence: Presence
    file: str = ""
    version: str = ""
    in_tree: bool = True
    aliases: Tuple[str, ...] = ()
    parameters: Tuple[str, ...] = ()
    firmware: Tuple[str, ...] = ()
    private_flags: Optional[Tuple[str, ...]] = None
    native: Optional[bool] = None
    zero_copy: Optional[bool] = None
    hints: Optional[bool] = None
    queue_stats: Optional[bool] = None
    names: Optional[Names] = None


@dataclass(frozen=True)
class DriverFacts:
    """The driver of one NIC: the module that binds to its device first, then those that it works with.

    ``modalias`` is the device's, empty where there is none to claim.
    """

    modules: Tuple[ModuleFacts, ...]
    modalias: str = ""

    @property
    def first(self) -> ModuleFacts:
        return self.modules[0]

    @property
    def presence(self) -> Presence:
        return self.first.presence

    @property
    def known(self) -> bool:
        """Whether the files of all its modules were read."""
        return all(module.names is not None for module in self.modules)

    @property
    def claims(self) -> Optional[bool]:
        """Whether it takes the NIC's device, by its table of devices."""
        if not self.modalias or not any(module.aliases for module in self.modules):
            return None
        patterns = [alias for module in self.modules for alias in module.aliases]
        return any(fnmatch.fnmatchcase(self.modalias, pattern) for pattern in patterns)

    @property
    def private_flags(self) -> Optional[Tuple[str, ...]]:
        told = [module.private_flags for module in self.modules if module.private_flags is not None]
        return tuple(flag for flags in told for flag in flags) if told else None

    def able(self, ability: str) -> Optional[bool]:
        """``native``, ``zero_copy``, ``hints``, ``queue_stats``: whether one of its modules can."""
        told = [getattr(module, ability) for module in self.modules]
        return None if any(each is None for each in told) else any(told)

    def holds(self, name: str) -> Optional[bool]:
        found = [module.names.holds(name) for module in self.modules if module.names is not None]
        return True if any(found) else (False if self.known else None)


@dataclass(frozen=True)
class KernelFacts:
    """``drivers`` by NIC; ``options`` without ``CONFIG_``; ``types`` every name of the kernel's type information.

    ``notes`` say what could not be read, and why.
    """

    kernel: Kernel
    drivers: Mapping[str, DriverFacts] = field(default_factory=dict)
    options: Optional[Mapping[str, str]] = None
    types: Optional[FrozenSet[str]] = None
    notes: Tuple[str, ...] = ()

    def has_counter(self, nic: str, name: RawName) -> Optional[bool]:
        """Whether a NIC can show this raw counter under this kernel; whether its device does, only the NIC tells.

        Queue statistics are a family of the kernel's (Linux 6.9, include/uapi/linux/netdev.h) that a driver takes
        part in with a table of functions.
        """
        if name.source is Source.RTNL:
            return True  # struct rtnl_link_stats64 has only ever grown
        driver = self.drivers.get(nic)
        if name.source is Source.QSTATS:
            return self._queue_statistic(driver, name.name)
        return None if driver is None else driver.holds(name.name)

    def _queue_statistic(self, driver: Optional[DriverFacts], name: str) -> Optional[bool]:
        if self.types is not None and f"NETDEV_A_QSTATS_{name.upper().replace('-', '_')}" not in self.types:
            return False
        if self.types is None and self.kernel.version < (6, 9):
            return False
        return None if driver is None else driver.able("queue_stats")
