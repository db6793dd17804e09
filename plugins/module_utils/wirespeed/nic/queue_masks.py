# SPDX-License-Identifier: GPL-3.0-or-later
"""XPS and RPS: which CPUs send through which queue, and which CPUs help a queue to receive.

``spread`` gives each running CPU one queue, the CPUs near the NIC first, so that with
``irq_affinity`` spread too a CPU sends through the queue whose interrupts it takes. ``none`` clears
the masks: without XPS the kernel chooses by the flow's hash; without RPS packets stay on the CPU of
their queue, which is right wherever RSS spreads them already.
"""

from __future__ import annotations

from typing import Dict, Mapping, Tuple

from ..errors import NotSupported
from ..kernel import cpus, netdev_sysfs
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from . import queue_cpus
from .channels import queues_made
from .queue_cpus import KEY, NONE, SPREAD, Queues, Rule


class QueueMasks:
    """A room (see ``room.py``) for the mask ``file`` of each ``rx`` or ``tx`` queue."""

    def __init__(self, direction: str, file: str) -> None:
        self._direction = direction
        self._file = file

    def read(self, port: Port) -> SettingFacts:
        """Raises :class:`NotSupported` without the kernel's option, and XPS on a NIC that has one queue only."""
        masks = netdev_sysfs.queue_cpus(port, self._direction, self._file)
        if not masks:
            raise NotSupported(f"sysfs {self._file} of {port.name} (no {self._direction} queue)")
        near, running = cpus.by_distance(netdev_sysfs.numa_node(port))
        return queue_cpus.facts_of([[mask] for mask in masks], _rule(running), near, running)

    def settle(self, facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
        made = queues_made(planned.get(Setting.CHANNELS, {}), self._direction)
        return queue_cpus.settle(facts, want, (SPREAD, NONE), made, _rule(queue_cpus.running(facts)))

    def write(self, port: Port, values: Values) -> None:
        count = len(netdev_sysfs.queue_cpus(port, self._direction, self._file))
        dummy, running = cpus.by_distance(netdev_sysfs.numa_node(port))
        queues = queue_cpus.of_word(values[KEY], count, _rule(running))
        netdev_sysfs.set_queue_cpus(port, self._direction, self._file, [queue[0] for queue in queues])


def _rule(running: Tuple[int, ...]) -> Rule:
    def shared(count: int) -> Queues:
        return queue_cpus.all_shared(count, running)

    return shared


XPS = QueueMasks("tx", "xps_cpus")
RPS = QueueMasks("rx", "rps_cpus")
