# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps on a pipeline's code and tables: load, unload, configure, publish."""

from __future__ import annotations

from typing import Dict, List, Sequence

from ..config import live
from ..config.tables import difference
from ..errors import WirespeedError
from ..model.step import Action, Step
from . import history, instance, root
from .origins import Origins
from .succession import finish
from .two_ways import TwoWays


class CodeSteps:
    """``notes`` gets a sentence for what a publish could not bring along."""

    def __init__(self, origins: Origins, notes: List[str]) -> None:
        self._origins = origins
        self._notes = notes
        self._paths = origins.paths

    @property
    def ways(self) -> Dict[Action, TwoWays]:
        return {
            Action.LOAD: TwoWays(self._load, self._not_loaded),
            Action.UNLOAD: TwoWays(self._unload, self._not_unloaded),
            Action.CONFIGURE: TwoWays(self._configure, self._not_configured),
            Action.PUBLISH: TwoWays(self._publish, self._not_published),
            Action.CARRY: TwoWays(self._carry),
        }

    def _load(self, step: Step) -> None:
        source = self._origins.source(step.target, step.after["generation"])
        instance.load(self._paths, source, direct=step.after.get("direct", False))

    def _not_loaded(self, step: Step) -> str:
        generation = step.after["generation"]
        if generation not in self._paths.generations(step.target):
            return f"generation {generation} is not loaded"
        digest = self._origins.source(step.target, generation).digest
        return "" if digest == step.after["digest"] else f"generation {generation} has digest {digest}"

    def _unload(self, step: Step) -> None:
        instance.unload(self._paths, step.target, step.before["generation"])

    def _not_unloaded(self, step: Step) -> str:
        generation = step.before["generation"]
        loaded = generation in self._paths.generations(step.target)
        return f"generation {generation} is still loaded" if loaded else ""

    def _configure(self, step: Step) -> None:
        """An undo may come when the generation is gone or was never loaded: then nothing is left to undo."""
        generation = step.after["generation"]
        if generation not in self._paths.generations(step.target):
            if step.after["rows"]:
                raise WirespeedError(f"Generation {generation} of pipeline {step.target} is not loaded.")
            return
        table = self._origins.source(step.target, generation).tables[step.resource]
        with instance.open_table(self._paths, step.target, generation, step.resource) as bpf_map:
            live.change(bpf_map, table, step.after["rows"], step.before["rows"])

    def _not_configured(self, step: Step) -> str:
        generation = step.after["generation"]
        if generation not in self._paths.generations(step.target):
            return "" if not step.after["rows"] else f"generation {generation} is not loaded"
        table = self._origins.source(step.target, generation).tables[step.resource]
        rows = instance.rows(self._paths, step.target, generation, {step.resource: table})[step.resource]
        missing, dummy = difference(rows, step.after["rows"])
        left = sorted(set(rows) & set(step.before["rows"]))
        return _sentence(missing, "missing") or _sentence(left, "still there")

    def _publish(self, step: Step) -> None:
        generation = step.after["generation"]
        if generation is None:
            root.clear(self._paths, step.target)
        elif self._origins.adopted(step.target, generation):
            instance.publish_adopted(self._paths, step.target, self._origins.entry(step.target, generation))
        else:
            self._notes += instance.publish(self._paths, self._origins.source(step.target, generation))
        if generation is not None:
            history.note(self._paths, step.target, generation)

    def _carry(self, step: Step) -> None:
        if step.after:
            self._notes += finish(self._paths, step.target)

    def _not_published(self, step: Step) -> str:
        found, wanted = instance.published(self._paths, step.target), step.after["generation"]
        if found == wanted:
            return ""
        return f"the slot holds generation {found}" if found else "the slot is empty"


def _sentence(rows: Sequence[str], what: str) -> str:
    if not rows:
        return ""
    return f"{len(rows)} rows are {what}, the first is {rows[0]}"
