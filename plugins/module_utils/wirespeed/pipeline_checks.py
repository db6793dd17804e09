# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that change nothing and may stop a run: a manifest's packets before its code is live, its health gate after."""

from __future__ import annotations

from typing import Callable, Dict, List, Sequence

from .counters.gate_window import Gate
from .counters.verify import Subject
from .model.step import Step
from .pipeline import fixtures
from .pipeline.origins import Origins

BEFORE = "before"
"""The resource of the step that measures the window ahead of a publish."""

Subjects = Callable[[str], Sequence[Subject]]
"""The NICs of a pipeline with the counter tables of their profiles."""


class FixtureActuator:
    """Runs the packets in a program of their own. Raises :class:`~.pipeline.fixtures.FixturesFailed`."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins

    def apply(self, step: Step) -> None:
        if step.after:  # else an undo, of what left nothing
            fixtures.require(self._origins.source(step.target, step.after["generation"]))

    def deviation(self, step: Step) -> str:
        return ""


class WatchActuator:
    """Compares what was counted before a publish with what is counted after it. ``warnings`` say what it could not
    judge. Raises :class:`~.counters.gate.GateFailed`."""

    def __init__(self, origins: Origins, subjects: Subjects) -> None:
        self._origins = origins
        self._subjects = subjects
        self._gates: Dict[str, Gate] = {}
        self.warnings: List[str] = []

    def apply(self, step: Step) -> None:
        if not step.after:
            return
        source = self._origins.source(step.target, step.after["generation"])
        health = source.manifest.health
        if health is None:
            return
        if step.resource == BEFORE or step.target not in self._gates:
            self._gates[step.target] = Gate(self._origins.paths, step.target, health, self._subjects(step.target))
        gate = self._gates[step.target]
        if step.resource == BEFORE:
            gate.before()
        else:
            self.warnings += gate.after()

    def deviation(self, step: Step) -> str:
        return ""
