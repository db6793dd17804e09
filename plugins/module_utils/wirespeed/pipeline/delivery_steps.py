# SPDX-License-Identifier: GPL-3.0-or-later
"""The step that delivers a document. Its rows come from the node's store by their digest, never from the journal.

``before`` and ``after``: ``generation``, ``digest`` (empty: leave its rows), ``strategy``; with ``version`` it is a
delivery of its own, which the history tells: ``after["delivery"]``, and ``configured`` (``config/history.py``).
Without, it brings the last document into another generation. ``before`` also says how rows that are live come back:
``word``, the side to turn to, or ``undo``, the digest of what was there.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple

from ..config import store
from ..config.history import Delivery
from ..config.sides import Word
from ..config.strategy import Strategy
from ..model.step import Action, Step
from . import delivery, fitting
from .delivery import Differences, Progress, Tables
from .origins import Origins
from .two_ways import TwoWays


class DeliverySteps:
    def __init__(self, origins: Origins) -> None:
        self._origins = origins
        self._paths = origins.paths
        self._known: Optional[Tuple[str, Differences]] = None
        self.progress: Progress = delivery.silent

    @property
    def ways(self) -> Dict[Action, TwoWays]:
        return {Action.DELIVER: TwoWays(self._deliver, self._not_delivered)}

    def looked(self, digest: str, differences: Differences) -> None:
        """What the next delivery of this document will find, so that a million rows are not read twice."""
        self._known = digest, differences

    def _deliver(self, step: Step) -> None:
        """An undo may come when the generation is gone or was never loaded: then its rows are no matter."""
        said, generation = step.after, step.after["generation"]
        if generation in self._paths.generations(step.target):
            source = self._origins.source(step.target, generation)
            self._write(Tables(self._paths, source, generation, self.progress), said)
        if "version" in said:
            self._note(step.target, said)

    def _write(self, tables: Tables, said: Mapping[str, Any]) -> None:
        pipeline = tables.source.manifest.name
        if "word" in said:
            tables.turn_to(Word.of(said["word"]))
        elif "undo" in said:
            tables.take_back(store.undo(self._paths, pipeline, said["undo"]))
        elif said["digest"] and said["strategy"] != Strategy.PROGRAM_SWAP.value:  # of which the undo leaves all rows
            wanted = fitting.kept(self._paths, tables.source, said["digest"])
            tables.bring(wanted, Strategy(said["strategy"]), self._taken(wanted.digest))

    def _taken(self, digest: str) -> Optional[Differences]:
        known, self._known = self._known, None
        return known[1] if known is not None and known[0] == digest else None

    def _note(self, pipeline: str, said: Mapping[str, Any]) -> None:
        before = store.history(self._paths, pipeline)
        if "delivery" in said:
            now = before.after(Delivery.from_json(said["delivery"]), said["configured"])
        else:
            now = before.back_to(said["version"], said["configured"])
        if now != before:
            store.write_history(self._paths, pipeline, now)

    def _not_delivered(self, step: Step) -> str:
        found = store.history(self._paths, step.target).version
        wanted = step.after.get("version", found)
        return "" if found == wanted else f"the history ends with version {found}"
