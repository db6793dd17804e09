# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that take a pipeline off NICs, and off the node with the last of them."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from ..model.nic import Nic
from ..model.node import Node
from ..model.step import Action, Disruption, Step

_ASKED = "it was asked for"


def removal(node: Node, pipeline: str, nics: Sequence[Nic], last: bool) -> Tuple[Step, ...]:
    """NICs first: none must run a root whose slot is emptied under it. ``last``: no NIC carries it after that."""
    steps = [step for nic in nics for step in _detach(nic, pipeline)]
    if last:
        steps += _unload(node, pipeline)
    return tuple(steps)


def _detach(nic: Nic, pipeline: str) -> List[Step]:
    if nic.xdp is None or nic.xdp.pipeline != pipeline:
        return []
    before = {"mode": nic.xdp.mode.value, "pipeline": pipeline}
    return [Step(nic.name, Action.DETACH, "xdp", before, {}, _ASKED, "intent", Disruption.GAP)]


def _unload(node: Node, pipeline: str) -> List[Step]:
    live = node.instance(pipeline)
    steps = list(publish_alone(pipeline, live.generation, None)) if live else []
    for found in node.instances:
        if found.pipeline == pipeline:
            before = {"generation": found.generation, "digest": found.digest}
            steps.append(Step(pipeline, Action.UNLOAD, "instance", before, {}, _ASKED, "intent"))
    return steps


def publish_alone(pipeline: str, live: Optional[str], generation: Optional[str]) -> Tuple[Step, ...]:
    """One write of the slot: to a generation that is loaded, or to nothing."""
    before, after = {"generation": live}, {"generation": generation}
    return (Step(pipeline, Action.PUBLISH, "slot", before, after, _ASKED, "intent"),)
