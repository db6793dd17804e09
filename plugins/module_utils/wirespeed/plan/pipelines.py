# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that bring one pipeline's code and tables to what is wanted, before any NIC is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from ..model.desired import DesiredDocument, DesiredPipeline
from ..model.node import InstanceFacts, Node, RootFacts
from ..model.step import Action, Step


@dataclass(frozen=True)
class PipelinePlan:
    """``steps`` before the NICs, ``late`` ones after them. ``new_root``: the NICs carry the former one by then."""

    steps: Tuple[Step, ...] = ()
    late: Tuple[Step, ...] = ()
    new_root: bool = False


def plan_pipeline(node: Node, desired: DesiredPipeline) -> PipelinePlan:
    """Test, load beside what runs, fill the tables, then publish.

    To publish is one write of the root's slot, in a pinned PROG_ARRAY, and never enters a driver: no disruption on
    any NIC (kernel/bpf/arraymap.c prog_array_map_poke_run; an element write, no RCU wait). With direct attach it
    only says what the NICs are to carry; each is then swapped on its own hook, at what that costs its driver.
    """
    live, root = node.instance(desired.name), node.root(desired.name)
    ready = _generation(node, desired)
    new_root = root is not None and not root.like(desired.carried)
    steps: List[Step] = []
    if ready is None:
        steps += [_test(desired)] if desired.fixtures else []
        steps.append(_load(desired))
    steps += _rows(desired, ready)
    publish: List[Step] = []
    if root is not None and new_root:
        publish = [_root(desired, root)]
    elif live is None or live.generation != desired.generation:
        publish = [_publish(desired, live)]
    by_the_nics = new_root or desired.carried.direct
    carry = [_carry(desired)] if publish and by_the_nics and live is not None else []
    if not publish or live is None or not desired.watch:
        return PipelinePlan((*steps, *publish), tuple(carry), new_root)
    before, after = _watch(desired, "before"), _watch(desired, "health")
    if by_the_nics:
        return PipelinePlan((*steps, before, *publish), (*carry, after), new_root)
    return PipelinePlan((*steps, before, *publish, after))


def _generation(node: Node, desired: DesiredPipeline) -> Optional[InstanceFacts]:
    for found in node.instances:
        if found.pipeline == desired.name and found.generation == desired.generation:
            return found
    return None


def _test(desired: DesiredPipeline) -> Step:
    after = {"generation": desired.generation, "packets": desired.fixtures}
    return Step(desired.name, Action.TEST, "fixtures", {}, after, "before it is live", desired.origin, because="load")


def _load(desired: DesiredPipeline) -> Step:
    after: Dict[str, Any] = {"generation": desired.generation, "digest": desired.digest}
    if desired.carried.direct:
        after["direct"] = True
    why = "this code is not loaded on the node"
    if desired.only_stage is not None:
        why += f"; it differs from what runs in stage {desired.only_stage} alone: that one is loaded, its slot written"
    return Step(desired.name, Action.LOAD, "instance", {}, after, why, desired.origin, because="publish")


def _rows(desired: DesiredPipeline, ready: Optional[InstanceFacts]) -> List[Step]:
    """A delivered document is brought into what is to be live; what is live already has it."""
    if desired.document is None:
        return _configure(desired, ready)
    if ready is not None and ready.published:
        return []
    return [_deliver(desired, desired.document)]


def _deliver(desired: DesiredPipeline, document: DesiredDocument) -> Step:
    after = {"generation": desired.generation, "digest": document.digest, "strategy": "entry", **document.after}
    before = {"generation": desired.generation, "digest": "", "strategy": "entry", **document.before}
    why = "the configuration that was delivered last" if not document.after else "a delivery by program_swap"
    return Step(desired.name, Action.DELIVER, "config", before, after, why, desired.origin, because="load")


def _configure(desired: DesiredPipeline, ready: Optional[InstanceFacts]) -> List[Step]:
    """New code begins with empty tables: to fill them is part of loading it."""
    steps = []
    live = ready.tables if ready else {}
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
                    because=None if ready else "load",
                )
            )
    return steps


def _publish(desired: DesiredPipeline, live: Optional[InstanceFacts]) -> Step:
    where = "on the NICs" if desired.carried.direct else "in the root's slot"
    why = f"generation {live.generation} is live" if live else f"nothing is live {where}"
    before = {"generation": live.generation if live else None}
    after = {"generation": desired.generation}
    return Step(desired.name, Action.PUBLISH, "slot", before, after, _because(why, desired), desired.origin)


def _because(why: str, desired: DesiredPipeline) -> str:
    return f"{why}; {desired.why_root}" if desired.why_root else why


def _root(desired: DesiredPipeline, present: RootFacts) -> Step:
    """The new root has the generation in its slot before any NIC carries it."""
    before, after = shape(present), {**shape(desired.carried), "generation": desired.generation}
    why = _because("what the NICs carry does not fit this code", desired)
    return Step(desired.name, Action.ROOT, "root", before, after, why, desired.origin)


def shape(root: RootFacts) -> Dict[str, Any]:
    """A root as a step tells it."""
    if root.direct:
        return {"attach": "direct"}
    return {"attach": "root", "frags": root.frags, "empty_slot": root.empty_slot}


def _carry(desired: DesiredPipeline) -> Step:
    after = {"generation": desired.generation}
    why = "no NIC runs the generation before any more"
    return Step(desired.name, Action.CARRY, "state", {}, after, why, desired.origin, because="publish")


def _watch(desired: DesiredPipeline, when: str) -> Step:
    after = {"seconds": desired.watch, "generation": desired.generation}
    return Step(
        desired.name, Action.WATCH, when, {}, after, "the manifest asks for it", desired.origin, because="publish"
    )
