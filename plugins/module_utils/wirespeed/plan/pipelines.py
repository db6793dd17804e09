# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that bring one pipeline's code and tables to what is wanted, before any NIC is touched."""

from __future__ import annotations

from typing import List, Mapping, Optional, Tuple

from ..model.desired import DesiredPipeline
from ..model.node import InstanceFacts, Node
from ..model.step import Action, Step


def plan_pipeline(node: Node, desired: DesiredPipeline) -> Tuple[Step, ...]:
    """Load beside what runs, fill the tables, then publish with one slot write.

    The slot is in a pinned PROG_ARRAY, so publishing never enters the driver: no disruption on
    any NIC (kernel/bpf/arraymap.c prog_array_map_poke_run; an element write, no RCU wait).
    """
    live = node.instance(desired.name)
    ready = _generation(node, desired)
    steps: List[Step] = []
    if ready is None:
        steps.append(_load(desired))
    steps += _configure(desired, ready.tables if ready else {})
    if live is None or live.generation != desired.generation:
        steps.append(_publish(desired, live))
    return tuple(steps)


def _generation(node: Node, desired: DesiredPipeline) -> Optional[InstanceFacts]:
    for found in node.instances:
        if found.pipeline == desired.name and found.generation == desired.generation:
            return found
    return None


def _load(desired: DesiredPipeline) -> Step:
    return Step(
        desired.name,
        Action.LOAD,
        "instance",
        {},
        {"generation": desired.generation, "digest": desired.digest},
        "this code is not loaded on the node",
        desired.origin,
    )


def _configure(desired: DesiredPipeline, live: Mapping[str, Tuple[str, ...]]) -> List[Step]:
    steps = []
    for table, rows in desired.tables.items():
        wanted, present = set(rows), set(live.get(table, ()))
        if wanted != present:
            steps.append(
                Step(
                    desired.name,
                    Action.CONFIGURE,
                    table,
                    {"generation": desired.generation, "rows": sorted(present - wanted)},
                    {"generation": desired.generation, "rows": sorted(wanted - present)},
                    "the table's rows differ from the intent",
                    desired.origin,
                )
            )
    return steps


def _publish(desired: DesiredPipeline, live: Optional[InstanceFacts]) -> Step:
    why = f"generation {live.generation} is live" if live else "nothing is live in the root's slot"
    before = {"generation": live.generation if live else None}
    return Step(desired.name, Action.PUBLISH, "slot", before, {"generation": desired.generation}, why, desired.origin)
