# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the steps of pipelines. Each may be repeated, and its inverse may meet a step that never ran."""

from __future__ import annotations

from typing import Dict, List, Mapping

from ..model.step import Action, Step
from .code_steps import CodeSteps
from .delivery_steps import DeliverySteps
from .hook_steps import HookSteps
from .origins import Origins
from .pins import Paths
from .source import PipelineSource
from .two_ways import TwoWays


class PipelineActuator:
    """``sources`` by pipeline name; what they lack comes from the node's store, by generation.

    ``notes`` are sentences about what steps could not bring along.
    """

    def __init__(self, paths: Paths, sources: Mapping[str, PipelineSource]) -> None:
        self.origins = Origins(paths, sources)
        self.notes: List[str] = []
        self.deliveries = DeliverySteps(self.origins)
        self._ways: Dict[Action, TwoWays] = {
            **CodeSteps(self.origins, self.notes).ways,
            **HookSteps(self.origins).ways,
            **self.deliveries.ways,
        }

    def apply(self, step: Step) -> None:
        """Raises :class:`~..errors.WirespeedError`."""
        self._ways[step.action].apply(step)

    def deviation(self, step: Step) -> str:
        """Empty when what is in the kernel equals ``step.after``, else a sentence of what is there instead."""
        return self._ways[step.action].deviation(step)
