# SPDX-License-Identifier: GPL-3.0-or-later
"""What a load would take over from the generation that runs, told to the plan: what is lost, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import List, Mapping

from .errors import Refused
from .model.desired import Desired, DesiredPipeline
from .model.node import Node
from .pipeline import instance, stages
from .pipeline.pins import Paths
from .pipeline.source import PipelineSource


def with_hands(paths: Paths, node: Node, desired: Desired, sources: Mapping[str, PipelineSource]) -> Desired:
    """Looks at the maps of what runs; nothing is looked at for code that is loaded already."""
    pipelines: List[DesiredPipeline] = []
    for wanted in desired.pipelines:
        live = node.instance(wanted.name)
        loaded = [found.generation for found in node.instances if found.pipeline == wanted.name]
        if live is None or wanted.generation in loaded:
            pipelines.append(wanted)
        else:
            pipelines.append(_told(paths, wanted, sources[wanted.name], live.generation))
    return replace(desired, pipelines=tuple(pipelines))


def _told(paths: Paths, wanted: DesiredPipeline, source: PipelineSource, running: str) -> DesiredPipeline:
    try:
        hands = instance.handed_over(paths, source)
    except Refused as refused:
        return replace(wanted, refused=(refused.problem, refused.remedy))
    lost = tuple(hand.lost for hand in hands if hand.lost)
    stage = stages.only_stage_of(paths, source, running)
    return replace(wanted, lost=lost, only_stage=stage)
