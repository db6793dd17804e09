# SPDX-License-Identifier: GPL-3.0-or-later
"""One NIC: who it is, how it is set, and which XDP program it carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import FrozenSet, Mapping, Optional, Tuple

from .claim import Claim
from .settings import Setting, SettingFacts


class XdpMode(str, Enum):
    """How a program is attached: in the driver, in the stack, or on the NIC."""

    NATIVE = "native"
    GENERIC = "generic"
    OFFLOAD = "offload"

    def __str__(self) -> str:
        return self.value


ROOT = "root"
"""What a NIC carries: the root program, whose slot holds the published generation."""

FORMER_ROOT = "former root"
"""A root that another one has replaced, on a NIC that has not been swapped yet."""


@dataclass(frozen=True)
class PciIdentity:
    """PCI ids are four lower-case hex digits; ``speed`` in GT/s and ``width`` in lanes, 0 if unknown."""

    vendor: str
    device: str
    subsystem_vendor: str = ""
    subsystem_device: str = ""
    link_speed: float = 0.0
    link_width: int = 0
    max_link_speed: float = 0.0
    max_link_width: int = 0


@dataclass(frozen=True)
class XdpAttachment:
    """The program on a NIC's XDP hook.

    ``link_id`` is None when it was attached over netlink instead of a ``bpf_link``.
    ``pipeline`` names our pipeline when the link is one that we pinned, or the program one of ours; else None: foreign.
    ``runs`` is what of that pipeline it is: :data:`ROOT`, :data:`FORMER_ROOT`, a generation, or empty when that
    cannot be told. ``fits`` is told of a foreign program that is to be adopted: ``xdp`` or ``xdp.frags``, as which
    it can be called from a root's slot, else why it cannot.
    """

    mode: XdpMode
    prog_id: int
    prog_name: str = ""
    link_id: Optional[int] = None
    pipeline: Optional[str] = None
    runs: str = ""
    fits: str = ""


@dataclass(frozen=True)
class Nic:
    """Everything observed about one network interface.

    ``kind`` is ``pci``, ``virtio`` or ``virtual``; ``numa_node`` is -1 where the platform names none.
    ``xdp_features`` is None where the kernel cannot tell (netdev family, Linux 6.3).
    ``device`` is what carries it, as the ``devlink`` command names it (``pci/0000:01:00.0``); ``beside`` are the
    other interfaces that the same device carries. ``addresses`` are its IP addresses with their prefix
    length; not the link-local ones of IPv6, which the kernel makes by itself.
    ``peer_mtu`` and ``peer_tx_queues`` describe the other end of a veth pair, None where it cannot be seen.
    ``dcb`` is whether Data Center Bridging is on, None where the driver does not tell.
    ``settings`` lacks the settings that the driver does not have; ``unsupported`` says why, by setting.
    ``dead_link`` names a pipeline whose pinned link for this NIC no longer holds the hook.
    ``witness`` maps a setting to the :attr:`epoch` in which Wirespeed last wrote it.
    ``claims`` are the values that other managers of this host set, equal to what is read or not.
    """

    name: str
    ifindex: int
    mac: str
    driver: str
    kind: str
    bus_address: str = ""
    firmware: str = ""
    driver_version: str = ""
    pci: Optional[PciIdentity] = None
    numa_node: int = -1
    up: bool = False
    carrier: bool = False
    carrier_changes: int = 0
    speed_mbps: int = 0
    upper: Tuple[str, ...] = ()
    device: str = ""
    beside: Tuple[str, ...] = ()
    addresses: Tuple[str, ...] = ()
    peer_mtu: Optional[int] = None
    peer_tx_queues: Optional[int] = None
    dcb: Optional[bool] = None
    settings: Mapping[Setting, SettingFacts] = field(default_factory=dict)
    unsupported: Mapping[Setting, str] = field(default_factory=dict)
    private_flags: Mapping[str, bool] = field(default_factory=dict)
    xdp: Optional[XdpAttachment] = None
    xdp_features: Optional[FrozenSet[str]] = None
    dead_link: Optional[str] = None
    witness: Mapping[Setting, str] = field(default_factory=dict)
    claims: Tuple[Claim, ...] = ()

    @property
    def epoch(self) -> str:
        """Names the NIC's present life under XDP: changes at every attach, detach or channel change.

        Settings that a driver forgets at such moments while they still read back
        (virtio_net RSS) are trusted only in the epoch in which they were written.
        """
        if self.xdp is None or self.xdp.mode is XdpMode.GENERIC:  # which never enters the driver
            holder = "bare"
        elif self.xdp.link_id is not None:
            holder = f"link {self.xdp.link_id}"
        else:
            holder = f"prog {self.xdp.prog_id}"
        channels = self.settings.get(Setting.CHANNELS)
        shape = ",".join(f"{k}={v}" for k, v in sorted(channels.values.items())) if channels else ""
        return f"{holder}; channels {shape}".strip()
