# SPDX-License-Identifier: GPL-3.0-or-later
"""All that changes for a node between two kernels. Pure."""

from __future__ import annotations

from typing import Collection, Iterator, List, Mapping, Sequence, Tuple

from ..counters.table import CounterTable
from ..kernel.module_options import ModuleOption
from ..model.node import Node
from ..model.settings import Setting
from . import of_files, of_intent
from .change import Aspect, Change, Severity
from .sight import Sight


def compare(
    node: Node,
    now: Sight,
    then: Sight,
    tables: Mapping[str, CounterTable],
    options: Sequence[ModuleOption] = (),
    firmware: Collection[str] = (),
) -> Tuple[Change, ...]:
    """``node`` is as it was observed, ``now`` and ``then`` as it is booted into either kernel; ``tables`` are the
    counters of its NICs. ``firmware`` names the files under /lib/firmware. The gravest come first, by NIC.
    """
    found: List[Change] = [*of_files.of_kernel(now.facts, then.facts), *of_intent.of_plan(now, then)]
    found += of_files.of_parameters(options, now.facts, then.facts)
    for name in now.facts.drivers:
        found += _of_nic(node, name, now, then, firmware)
        if name in tables and name in then.counters:
            found += of_intent.of_counters(name, tables[name], now.counters[name], then.counters[name])
    return _sorted(found, dict.fromkeys(["node", *now.facts.drivers, *(each.subject for each in found)]))


def _of_nic(node: Node, name: str, now: Sight, then: Sight, firmware: Collection[str]) -> Iterator[Change]:
    nic, before, after = node.nics[name], now.facts.drivers[name], then.facts.drivers[name]
    yield from of_files.of_driver(nic, before, after)
    yield from of_files.of_firmware(nic, before, after, firmware)
    wanted = now.nics.get(name)
    used = wanted.profile.tuning.get(Setting.PRIVATE_FLAGS, {}) if wanted else {}
    yield from of_files.of_flags(nic, before, after, used)
    yield from of_intent.of_nic(name, now, then)


def _sorted(changes: Sequence[Change], subjects: Collection[str]) -> Tuple[Change, ...]:
    aspects, order = list(Aspect), list(subjects)
    return tuple(
        sorted(changes, key=lambda each: (order.index(each.subject), each.severity.rank, aspects.index(each.aspect)))
    )


def worst(changes: Sequence[Change]) -> Severity:
    return min((each.severity for each in changes), key=lambda severity: severity.rank, default=Severity.INFORMS)
