# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a NIC, and what one of them reads right now."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import FrozenSet, Mapping, Tuple, Union

Value = Union[int, str, bool, Tuple[int, ...], Tuple[str, ...], Tuple[bool, ...]]
"""One value of one setting. A tuple has one entry for each bucket (RSS table), queue or rule."""

Values = Mapping[str, Value]


class Setting(str, Enum):
    """One room of ``nic/`` each; the value is the word used in profiles, plans and reports."""

    FIRMWARE = "firmware"
    SRIOV = "sriov"
    DEVLINK_PERMANENT = "devlink_permanent"
    DEVLINK_DRIVERINIT = "devlink_driverinit"
    DEVLINK_RUNTIME = "devlink_runtime"
    PRIVATE_FLAGS = "private_flags"
    FEATURES = "features"
    MTU = "mtu"
    CHANNELS = "channels"
    RINGS = "rings"
    RSS = "rss"
    RSS_FIELDS = "rss_fields"
    RSS_CONTEXTS = "rss_contexts"
    NTUPLE = "ntuple"
    COALESCE = "coalesce"
    QUEUE_COALESCE = "queue_coalesce"
    PAUSE = "pause"
    FEC = "fec"
    EEE = "eee"
    TXQUEUELEN = "txqueuelen"
    NAPI = "napi"
    IRQBALANCE = "irqbalance"
    IRQ_AFFINITY = "irq_affinity"
    XPS = "xps"
    RPS = "rps"
    RFS = "rfs"
    HOST = "host"

    def __str__(self) -> str:
        return self.value


READS_BACK_FALSELY = frozenset({Setting.RSS})
"""Settings that some driver forgets while they still read back: virtio_net turns RSS off in the
device at native attach, detach and channel change and goes on showing the table (Linux 6.1 to 7.2)."""


MAKES_ANEW = frozenset({Setting.DEVLINK_DRIVERINIT})
"""Settings whose change deletes the interface and makes a new one: with it go its program, its addresses
and every setting that does not live in the device (net/devlink/dev.c devlink_reload, net/core/dev.c
dev_xdp_uninstall, Linux 6.12)."""

OUTLIVES_THE_INTERFACE = frozenset(
    {Setting.FIRMWARE, Setting.DEVLINK_PERMANENT, Setting.DEVLINK_DRIVERINIT, Setting.HOST}
)
"""Settings that such a change leaves as they are."""

NOT_RUNNING = "irqbalance (not running)"
"""Why a NIC has no setting ``irqbalance`` on most machines: the ordinary case, of which nobody is told."""


@dataclass(frozen=True)
class SettingFacts:
    """What the kernel says about one setting of one NIC.

    ``values``   current values by key, in the kernel's units (``{"rx": 256, "tx": 256}``).
    ``maxima``   the largest value that the driver states for a key; absent when it states none.
    ``fixed``    keys that this driver cannot change (features marked ``[fixed]``).
    ``requested``  features only: what was asked for, where it differs from what is active.
    ``floating``  keys that the driver moves by itself now (``rx-usecs`` while ``adaptive-rx`` is on):
                  their value is a measurement, no setting.
    ``derived``   what this machine makes of a word: the RSS key that ``host`` stands for, the CPUs
                  that ``spread`` goes over.
    ``running``   settings that need a reset only: what the device works with until its next one, where
                  it tells. ``values`` then is what it takes up at that reset.
    ``defaults``  what the maker set, where the NIC tells.
    ``words``     the words that a key can take, where the NIC tells them.
    """

    values: Values
    maxima: Mapping[str, int] = field(default_factory=dict)
    fixed: FrozenSet[str] = frozenset()
    requested: Values = field(default_factory=dict)
    floating: FrozenSet[str] = frozenset()
    derived: Values = field(default_factory=dict)
    running: Values = field(default_factory=dict)
    defaults: Values = field(default_factory=dict)
    words: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
