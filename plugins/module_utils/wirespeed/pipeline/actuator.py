# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the steps of pipelines. Each may be repeated, and its inverse may meet a step that never ran."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Sequence, Tuple

from ..config import live
from ..config.tables import difference
from ..errors import WirespeedError
from ..model.nic import XdpMode
from ..model.step import Action, Step
from . import attach, instance, records, root
from .pins import Paths
from .source import PipelineSource


class PipelineActuator:
    """``sources`` by pipeline name; what they lack comes from the node's store, by generation."""

    def __init__(self, paths: Paths, sources: Mapping[str, PipelineSource]) -> None:
        self._paths = paths
        self._sources = sources
        self._apply: Dict[Action, Callable[[Step], None]] = {
            Action.LOAD: self._load,
            Action.UNLOAD: self._unload,
            Action.CONFIGURE: self._configure,
            Action.PUBLISH: self._publish,
            Action.ATTACH: self._attach,
            Action.DETACH: self._detach,
        }
        self._deviation: Dict[Action, Callable[[Step], str]] = {
            Action.LOAD: self._not_loaded,
            Action.UNLOAD: self._not_unloaded,
            Action.CONFIGURE: self._not_configured,
            Action.PUBLISH: self._not_published,
            Action.ATTACH: self._not_attached,
            Action.DETACH: self._not_detached,
        }

    def apply(self, step: Step) -> None:
        """Raises :class:`WirespeedError`."""
        self._apply[step.action](step)

    def deviation(self, step: Step) -> str:
        """Empty when what is in the kernel equals ``step.after``, else a sentence of what is there instead."""
        return self._deviation[step.action](step)

    def _source(self, pipeline: str, generation: str) -> PipelineSource:
        source = self._sources.get(pipeline)
        if source is not None and source.generation == generation:
            return source
        return records.stored(self._paths, pipeline, generation)

    def _load(self, step: Step) -> None:
        instance.load(self._paths, self._source(step.target, step.after["generation"]))

    def _not_loaded(self, step: Step) -> str:
        generation = step.after["generation"]
        if generation not in self._paths.generations(step.target):
            return f"generation {generation} is not loaded"
        digest = self._source(step.target, generation).digest
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
        table = self._source(step.target, generation).tables[step.resource]
        with instance.open_map(self._paths, step.target, generation, step.resource) as bpf_map:
            live.change(bpf_map, table, step.after["rows"], step.before["rows"])

    def _not_configured(self, step: Step) -> str:
        generation = step.after["generation"]
        if generation not in self._paths.generations(step.target):
            return "" if not step.after["rows"] else f"generation {generation} is not loaded"
        table = self._source(step.target, generation).tables[step.resource]
        rows = instance.rows(self._paths, step.target, generation, {step.resource: table})[step.resource]
        missing, dummy = difference(rows, step.after["rows"])
        left = sorted(set(rows) & set(step.before["rows"]))
        return _sentence(missing, "missing") or _sentence(left, "still there")

    def _publish(self, step: Step) -> None:
        generation = step.after["generation"]
        if generation is None:
            root.clear(self._paths, step.target)
        else:
            instance.publish(self._paths, self._source(step.target, generation))

    def _not_published(self, step: Step) -> str:
        found, wanted = instance.published(self._paths, step.target), step.after["generation"]
        if found == wanted:
            return ""
        return f"the slot holds generation {found}" if found else "the slot is empty"

    def _attach(self, step: Step) -> None:
        pipeline, mode = _attachment(step.after)
        attach.attach(self._paths, pipeline, step.target, mode)

    def _not_attached(self, step: Step) -> str:
        pipeline, mode = _attachment(step.after)
        return attach.deviation(self._paths, pipeline, step.target, mode)

    def _detach(self, step: Step) -> None:
        pipeline, dummy = _attachment(step.before)
        attach.detach(self._paths, pipeline, step.target)

    def _not_detached(self, step: Step) -> str:
        pipeline, dummy = _attachment(step.before)
        found = attach.attached_by(self._paths, step.target)
        return f"{step.target} still carries {pipeline}" if found and found.pipeline == pipeline else ""


def _attachment(said: Mapping[str, Any]) -> Tuple[str, XdpMode]:
    return said["pipeline"], XdpMode(said["mode"])


def _sentence(rows: Sequence[str], what: str) -> str:
    if not rows:
        return ""
    return f"{len(rows)} rows are {what}, the first is {rows[0]}"
