# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CPU takes the interrupts of each queue.

``spread`` gives each queue one CPU of the NIC's memory node, one thread of each core before any
second one. A service that moves interrupts (irqbalance) undoes it sooner or later.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Mapping, Tuple

from ..kernel import cpus, interrupts, netdev_sysfs
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from . import queue_cpus
from .channels import queues_made
from .queue_cpus import KEY, SPREAD, Queues, Rule

FAR = "far"
"""Key of ``SettingFacts.derived``: the queues none of whose interrupts can go to a CPU near the NIC."""


def read(port: Port) -> SettingFacts:
    """Raises :class:`~..errors.NotSupported` for a NIC whose interrupts are not message-signalled (no PCI)."""
    queues = interrupts.queues(port)
    near, running = cpus.by_distance(netdev_sysfs.numa_node(port))
    affinities = [[interrupts.affinity(vector) for vector in vectors] for vectors in queues]
    facts = queue_cpus.facts_of(affinities, _rule(near), near, running)
    far = sum(all(cpus.isdisjoint(near) for cpus in queue) for queue in affinities)
    return replace(facts, derived={**facts.derived, FAR: far})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    made = queues_made(planned.get(Setting.CHANNELS, {}), "rx")
    return queue_cpus.settle(facts, want, (SPREAD,), made, _rule(queue_cpus.near(facts)))


def write(port: Port, values: Values) -> None:
    """A queue of several vectors gets all of them on its CPUs, unless each has CPUs of its own."""
    queues = interrupts.queues(port)
    near, dummy = cpus.by_distance(netdev_sysfs.numa_node(port))
    for vectors, wanted in zip(queues, queue_cpus.of_word(values[KEY], len(queues), _rule(near))):
        for vector, each in zip(vectors, _for_each(wanted, len(vectors))):
            interrupts.set_affinity(vector, each)


def _for_each(wanted: "List[set[int]]", vectors: int) -> "List[set[int]]":
    return wanted * vectors if len(wanted) == 1 else wanted


def _rule(near: Tuple[int, ...]) -> Rule:
    def one_each(count: int) -> Queues:
        return queue_cpus.one_each(count, near)

    return one_each
