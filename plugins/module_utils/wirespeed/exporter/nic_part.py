# SPDX-License-Identifier: GPL-3.0-or-later
"""The NICs of this node: what they are, and their unified counters, made continuous."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from ..counters.unify import Reading
from ..counters.verify import Subject, read_now, subject
from ..errors import KernelRefusal, WirespeedError
from ..kernel import rtnetlink
from ..kernel.rtnetlink import Link
from ..model.intent import NicIntent
from ..observe import observe
from ..pipeline.links import pinned_links
from ..pipeline.pins import Paths
from ..profiles.document import ProfileSet
from ..profiles.resolve import resolve
from . import metrics
from .continuity import Continuous, NicTotals
from .samples import Samples

Signature = Tuple[Tuple[str, int, Tuple[Tuple[object, int], ...]], ...]


@dataclass(frozen=True)
class _Known:
    """``what`` are the labels of :data:`metrics.NIC_INFO`."""

    subject: Subject
    what: Tuple[str, ...]


class NicPart:
    """Physical NICs, those that carry a pipeline, and ``names``. What they are is looked at again when a link comes or
    goes or carries another program; a reload changes none of that."""

    def __init__(self, paths: Paths, profiles: ProfileSet, names: Sequence[str], queues: bool) -> None:
        self._paths, self._profiles, self._names, self._queues = paths, profiles, tuple(names), queues
        self._kernel: Tuple[int, int] = (0, 0)
        self._known: Dict[str, _Known] = {}
        self._seen: Optional[Signature] = None
        self._totals, self._carriers = NicTotals(), Continuous()

    def read(self, samples: Samples) -> List[str]:
        """What went wrong, in words. Raises :class:`WirespeedError` where nothing could be read."""
        links = {link.name: link for link in rtnetlink.links()}
        self._look(links)
        failed = []
        for name, known in self._known.items():
            link = links.get(name)
            if link is None:
                continue
            samples.add(metrics.NIC_INFO, known.what, 1)
            samples.add(metrics.NIC_UP, [name], int(link.carrier))
            changes = self._carriers.told(name, link.carrier_changes)
            samples.add(metrics.NIC_CARRIER_CHANGES, [name], changes)
            try:
                self._counters(samples, name, known.subject)
            except KernelRefusal as gone:
                failed.append(f"{name}: {gone}")
        return failed

    def _look(self, links: Mapping[str, Link]) -> None:
        seen = tuple(sorted((link.name, link.ifindex, tuple(link.xdp)) for link in links.values()))
        if seen == self._seen:
            return
        carrying = [each.ifname for each in pinned_links(self._paths)]
        node = observe(self._paths, [name for name in dict.fromkeys([*self._names, *carrying]) if name in links])
        known = {}
        for name, nic in node.nics.items():
            profile = resolve(self._profiles, nic, node, NicIntent("name", name))
            mode = "none" if nic.xdp is None else str(nic.xdp.mode)
            pipeline = (nic.xdp.pipeline or "") if nic.xdp else ""
            what = (name, nic.driver, " ".join(profile.names), mode, pipeline)
            known[name] = _Known(subject(nic, profile.counters), what)
        self._kernel, self._known, self._seen = node.kernel.version, known, seen

    def _counters(self, samples: Samples, name: str, who: Subject) -> None:
        for counter, reading in read_now(who, self._kernel).readings.items():
            value, queues = self._totals.told(name, reading)
            metric, labels = metrics.of_counter(counter)
            samples.add(metric, [name, *labels], value)
            if value is not None:
                samples.add(metrics.NIC_COUNTER_INFO, [name, *_source(reading)], 1)
            if self._queues and queues:
                _by_queue(samples, name, reading, queues)


def _by_queue(samples: Samples, name: str, reading: Reading, queues: Mapping[int, int]) -> None:
    try:
        metric, labels = metrics.of_queue(reading.counter)
    except KeyError:
        return
    for queue, value in queues.items():
        samples.add(metric, [name, queue, *labels], value)


def _source(reading: Reading) -> List[str]:
    way = reading.way
    if way is None:
        raise WirespeedError(f"{reading.counter} has a value and no source.")
    raw = [str(name) for name in way.plus] + [f"-{name}" for name in way.minus]
    included = {True: "yes", False: "no", None: "unknown"}[way.includes_xdp_drop]
    return [reading.counter.value, " ".join(raw), way.scope.value, included, way.confidence.value]
