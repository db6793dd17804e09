# SPDX-License-Identifier: GPL-3.0-or-later
"""One delivery: what it meets on the node, the choice of a strategy, and the run.

What the document meets here is checked before the first write: the layout, the room in the maps, who fills the tables,
the version that it is to follow.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any, Mapping, Optional, Sequence, Tuple

from . import delivering, program_swap, report
from .config import store, strategy
from .config.compiled import Compiled
from .config.difference import Difference, counted, total
from .config.history import Delivery, History
from .config.strategy import Possible, Strategy
from .config.tables import Table
from .config.unread import unread
from .delivering import Live
from .errors import BadInput, Place, Refused
from .model.step import Step
from .pipeline import fitting
from .pipeline.delivery import Progress
from .pipeline.pins import Paths
from .soak_option import Soak
from .soaking import Soaking

DOCUMENT = Place("document")


@dataclass(frozen=True)
class Delivered:
    """What :func:`apply` did, or would do. ``version`` is the one that is live after it, ``before`` the one until then
    (0: none was delivered). ``tables`` counts the rows that are added, changed and removed, by table;
    ``operations`` how many elements of maps that is. ``strategy`` is empty where nothing was to be done. ``steps`` are
    as of :func:`.engine.converge`, ``recovered`` what a killed run had left half done. ``differences`` are the rows,
    which ``codecs`` turn into text."""

    changed: bool
    version: int
    before: int
    digest: str
    strategy: str
    why: str
    operations: int
    tables: Mapping[str, Mapping[str, int]]
    steps: Sequence[Mapping[str, Any]] = ()
    warnings: Sequence[str] = ()
    recovered: Sequence[str] = ()
    differences: Mapping[str, Difference] = field(default_factory=dict)
    codecs: Mapping[str, Table] = field(default_factory=dict)


@dataclass(frozen=True)
class Planned:
    """What a delivery found, and the step that it is; None where nothing is to be done."""

    live: Live
    known: History
    differences: Mapping[str, Difference]
    step: Optional[Step]


@dataclass(frozen=True)
class Apply:
    """One delivery to one pipeline, planned or done. ``back``: it is a rollback. With ``soak`` it is undone where it
    does not prove itself; ``listener`` is as in :class:`~.soaking.Soaking`."""

    paths: Paths
    pipeline: str
    asked: Strategy
    expected: Optional[int]
    progress: Progress
    back: bool = False
    soak: Optional[Soak] = None
    listener: Optional[int] = None

    def earlier(self, version: Optional[int]) -> Tuple[Compiled, Optional[int]]:
        """The rows to go back to, and their version. Where the live one is such a rollback already, it is those again:
        a second one does not go forward."""
        known = store.history(self.paths, self.pipeline)
        found = known.before() if version is None else known.find(version)
        if found is None:
            there = ", ".join(str(each.version) for each in known.deliveries) or "none"
            what = "no version before the live one" if version is None else f"no version {version}"
            raise BadInput(Place("version"), "", f"pipeline {self.pipeline} has {what}.", f"There are: {there}.")
        source = delivering.live(self.paths, self.pipeline).source
        return fitting.document(self.paths, source, found.digest), found.version

    def plan(self, compiled: Compiled, rollback_to: Optional[int] = None) -> "Tuple[Delivered, Planned]":
        """Changes nothing."""
        live = delivering.live(self.paths, self.pipeline, self.progress)
        compiled.check(self.pipeline, live.source.tables, DOCUMENT)
        delivering.require_ours(self.paths, self.pipeline)
        known = store.history(self.paths, self.pipeline)
        differences = live.tables().differences(compiled.tables)
        warnings = unread(compiled, live.source.manifest)
        same = compiled.digest in (known.digest, known.converted_to(known.digest, compiled.layout))
        if same and not total(differences):
            told = Delivered(
                False, known.version, known.version, known.digest, "", "it is live", 0, {}, warnings=warnings
            )
            return told, Planned(live, known, {}, None)
        self._require_version(known)
        decided = self._decide(live, differences)
        delivery = Delivery(
            known.version + 1,
            compiled.digest,
            decided.strategy.value,
            total(differences),
            compiled.rows,
            time.time(),
            delivering.user(),
            decided.why,
            rollback_to,
        )
        step = delivering.step(live, known, delivery)
        told = Delivered(
            True,
            delivery.version,
            known.version,
            compiled.digest,
            decided.strategy.value,
            decided.why,
            delivery.operations,
            counted(differences),
            report.steps_json([step]),
            warnings,
            differences=differences,
            codecs=live.source.tables,
        )
        return told, Planned(live, known, differences, step)

    def predict(self, compiled: Compiled, rollback_to: Optional[int] = None) -> Delivered:
        """What :meth:`run` would do; changes nothing."""
        told, planned = self.plan(compiled, rollback_to)
        if planned.step is None or told.strategy != Strategy.PROGRAM_SWAP.value:
            return told
        result = program_swap.predict(self.paths, planned.live, planned.step, self.progress)
        return replace(told, steps=result["steps"], warnings=[*told.warnings, *result["warnings"]])

    def run(self, compiled: Compiled, rollback_to: Optional[int] = None) -> Delivered:
        """Under the node's lock."""
        recovered = delivering.recovered(self.paths)
        told, planned = self.plan(compiled, rollback_to)
        if planned.step is None:
            return replace(told, recovered=recovered)
        store.keep(self.paths, compiled)
        if told.strategy == Strategy.PROGRAM_SWAP.value:
            result = program_swap.run(self.paths, planned.live, planned.step, self.progress, self.soak, self.listener)
            told = replace(told, steps=result["steps"], warnings=[*told.warnings, *result["warnings"]])
        else:
            soaking = None if self.soak is None else Soaking(self.paths, self.soak, DOCUMENT, self.listener)
            notes = delivering.in_place(
                self.paths, planned.live, planned.step, planned.differences, self.progress, soaking
            )
            told = replace(told, warnings=[*told.warnings, *notes])
        store.prune(self.paths, self.pipeline)
        return replace(told, recovered=recovered)

    def _decide(self, live: Live, differences: Mapping[str, Difference]) -> strategy.Decision:
        possible = _possible(self.paths, live)
        if self.back and self.asked is Strategy.AUTO:
            try:
                decided = strategy.decide(Strategy.MAP_SWAP, possible, differences)
                return replace(decided, why="the idle side has the rows before, or most of them")
            except Refused:
                pass
        return strategy.decide(self.asked, possible, differences)

    def _require_version(self, known: History) -> None:
        """Compare and set: two deliveries that began with the same version cannot both follow it unseen."""
        if self.expected is None or self.expected == known.version:
            return
        last = known.last
        who = f", delivered by {last.by} at {_time(last.at)}" if last is not None else ""
        raise Refused(
            f"Version {self.expected} of the configuration of {self.pipeline} was expected, but version "
            f"{known.version} is live{who}. Nothing was changed.",
            "Look at what it changed ('wirespeed config history', 'wirespeed config diff'), and deliver again with "
            f"version {known.version} expected.",
        )


def _possible(paths: Paths, found: Live) -> Possible:
    tables = found.tables()
    allowed = strategy.allowed(found.source.manifest)
    return Possible(tables.word, frozenset(tables.doubled), allowed, program_swap.why_not(paths, found.pipeline))


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
