# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether irqbalance keeps its hands off the interrupts of a NIC's queues.

irqbalance forgets it when it ends: a run after its restart says it again. ``--banirq`` on its command line,
or a policy script, last longer.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, Mapping

from ..errors import NotSupported
from ..kernel import interrupts, irqbalance
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import switched

KEY = "keeps-off"


def read(port: Port) -> SettingFacts:
    """Raises :class:`NotSupported` where no irqbalance runs, the NIC has no interrupts of queues, or they are too many.

    A version before 1.9.5 takes about a hundred interrupts, of all NICs together.
    """
    own = _interrupts(port)
    others = irqbalance.banned()
    if not irqbalance.takes(own | others):
        raise NotSupported(f"irqbalance bans (this version cannot hold {len(own | others)} interrupts)")
    return SettingFacts({KEY: own <= others})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    return {key: switched(facts, key, value) for key, value in want.items()}


def write(port: Port, values: Values) -> None:
    """The list is set as a whole, so what else is in it is kept."""
    others, own = irqbalance.banned(), _interrupts(port)
    irqbalance.ban(others | own if values[KEY] else others - own)


def _interrupts(port: Port) -> FrozenSet[int]:
    return frozenset(vector.irq for queue in interrupts.queues(port) for vector in queue)
