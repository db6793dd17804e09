# SPDX-License-Identifier: GPL-3.0-or-later
"""The node: its kernel, its processors, its NICs and the pipelines that live in its bpffs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Tuple

from .nic import Nic

CARRIER_PATIENCE = 30
"""Seconds until a link must have come back. Autonegotiation of copper takes 2 to 4, of some optics with training up
to 20."""


@dataclass(frozen=True)
class Kernel:
    """``release`` as uname prints it; ``version`` its leading numbers, comparable: (6, 12)."""

    release: str
    version: Tuple[int, int]


@dataclass(frozen=True)
class InstanceFacts:
    """One generation of a pipeline found in bpffs.

    ``digest`` identifies object + constants + sizes: two instances with one digest are the same code.
    ``tables`` holds the live configuration, decoded: table name -> rows in canonical text, sorted.
    ``published`` is true when the root's slot 0 runs this generation's entry. ``configuration`` is the version of the
    document that was delivered to its pipeline, None where its rows come from the intent.
    """

    pipeline: str
    generation: str
    digest: str
    prog_id: int
    published: bool
    tables: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    configuration: Optional[int] = None


@dataclass(frozen=True)
class RootFacts:
    """What the NICs of a pipeline are to carry.

    With ``direct`` it is the published entry itself, else a root of ours: whether it takes frames of several buffers
    (``frags``), and what becomes of packets while its slot is empty: ``pass`` or ``drop``.
    """

    pipeline: str
    prog_id: int = 0
    direct: bool = False
    frags: bool = False
    empty_slot: str = "pass"

    def like(self, other: "RootFacts") -> bool:
        """Whether one can do for the other. A direct entry is swapped with each generation anyway."""
        if self.direct or other.direct:
            return self.direct is other.direct
        return (self.frags, self.empty_slot) == (other.frags, other.empty_slot)


@dataclass(frozen=True)
class Member:
    """A device that another one consists of.

    ``serves`` is whether its master can send through it now: it has a carrier, a bond's link monitor agrees,
    and under LACP it collects and distributes. ``program`` is whether an XDP program is on its hook.
    """

    name: str
    serves: bool
    program: bool = False


@dataclass(frozen=True)
class Upper:
    """A device on top of NICs: a bond, team or bridge with its ``members``, or a VLAN and the like with one below it.

    ``kind`` is the kernel's word: ``bond``, ``team``, ``bridge``, ``vlan``, ``macvlan``, ... ``min_links`` is how many
    members a bond needs for a carrier, ``updelay`` the seconds that it waits before it trusts a link that came back.
    ``program`` is whether an XDP program is on its hook.
    """

    name: str
    kind: str
    up: bool
    mtu: int
    members: Tuple[Member, ...]
    min_links: int = 0
    updelay: float = 0.0
    program: bool = False


@dataclass(frozen=True)
class CpuIdle:
    """The deepest idle state that a processor may enter: ``exit_latency`` in microseconds is what waking costs."""

    driver: str
    state: str
    exit_latency: int


@dataclass(frozen=True)
class Node:
    """What ``observe`` returns.

    ``cpus`` is the number of possible CPUs (the kernel's nr_cpu_ids: what drivers size XDP queues
    by), ``cpus_online`` those that run; ``cpus_by_numa`` counts online CPUs per NUMA node.
    ``uppers`` are the devices on top of NICs, by name; ``session`` names the NICs that this run's SSH connection
    came over, where that can be told. ``governors`` counts the CPUs under each frequency governor, and is
    empty where nothing on this machine sets a frequency; ``idle`` is None where it does not tell its idle states.
    """

    hostname: str
    kernel: Kernel
    boot_id: str
    cpus: int
    cpus_online: int
    cpus_by_numa: Mapping[int, int]
    ram_mib: int
    libbpf: str
    nics: Mapping[str, Nic]
    instances: Tuple[InstanceFacts, ...] = ()
    roots: Tuple[RootFacts, ...] = ()
    notes: Tuple[str, ...] = ()
    uppers: Mapping[str, Upper] = field(default_factory=dict)
    session: Tuple[str, ...] = ()
    governors: Mapping[str, int] = field(default_factory=dict)
    idle: Optional[CpuIdle] = None

    def instance(self, pipeline: str) -> "InstanceFacts | None":
        """The published instance of ``pipeline``, if any."""
        for found in self.instances:
            if found.pipeline == pipeline and found.published:
                return found
        return None

    def root(self, pipeline: str) -> "RootFacts | None":
        """What the NICs of ``pipeline`` are to carry, if there is anything."""
        return next((found for found in self.roots if found.pipeline == pipeline), None)


Json = Mapping[str, Any]
