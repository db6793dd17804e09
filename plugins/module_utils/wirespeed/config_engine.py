# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on a pipeline's configuration: deliver a document, compare, read back from the kernel, history, roll back.

A document is compiled by then (:class:`~.config.compiled.Compiled`), so everything about its text is checked. What it
meets here is checked before the first write: the layout, the room in the maps, the version that it is to follow.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from . import delivering, report
from .apply.lock import node_lock
from .config import store, strategy
from .config.compiled import Compiled
from .config.difference import Difference, counted, total
from .config.history import Delivery, History
from .config.packed import Packed
from .config.strategy import Strategy
from .config.tables import Table
from .delivering import Live
from .engine import require_root
from .errors import BadInput, Place, Refused
from .model.step import Step
from .pipeline.delivery import Progress, silent
from .pipeline.pins import Paths

DOCUMENT = Place("document")


@dataclass(frozen=True)
class Delivered:
    """What :func:`apply` did, or would do. ``version`` is the one that is live after it, ``before`` the one until then
    (0: none was delivered). ``tables`` counts the rows that are added, changed and removed, by table;
    ``operations`` how many elements of maps that is. ``strategy`` is empty where nothing was to be done. ``steps`` are
    as of :func:`.engine.converge`, ``recovered`` what a killed run had left half done."""

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


@dataclass(frozen=True)
class Shown:
    """What is in the kernel. ``tables`` are rows in the table's order, and ``codecs`` turn them into text
    (:meth:`~.config.tables.Table.unpack`). ``drift`` is what was written behind our back: the difference to the
    delivered ``version``, by table. ``warnings`` tell of a delivery that was killed half-way."""

    pipeline: str
    generation: str
    version: int
    digest: str
    tables: Mapping[str, Packed]
    codecs: Mapping[str, Table]
    drift: Mapping[str, Difference]
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Told:
    """The deliveries of a pipeline, oldest first, and the digests whose rows are kept for a rollback."""

    version: int
    deliveries: Sequence[Delivery]
    kept: Sequence[str]
    warnings: Sequence[str] = field(default=())


def apply(
    pipeline: str,
    compiled: Compiled,
    asked: Strategy = Strategy.AUTO,
    expected_version: Optional[int] = None,
    check: bool = False,
    progress: Optional[Progress] = None,
) -> Delivered:
    """Makes the document the live configuration: all of it, or nothing of it.

    ``expected_version`` is the version that it is to follow, 0 for the first: another one is live, and it is refused.
    Raises :class:`BadInput` for a document of another pipeline or layout, or with more rows than there is room for,
    :class:`Refused` for what cannot be done here, and :class:`~.apply.executor.ApplyFailed` after undoing all.
    """
    require_root()
    paths = Paths.from_environment()
    delivery = _Apply(paths, pipeline, asked, expected_version, progress or silent)
    if check:
        return delivery.plan(compiled)[0]
    with node_lock(paths.run / "lock"):
        return delivery.run(compiled)


def rollback(
    pipeline: str,
    version: Optional[int] = None,
    asked: Strategy = Strategy.AUTO,
    expected_version: Optional[int] = None,
    check: bool = False,
    progress: Optional[Progress] = None,
) -> Delivered:
    """Delivers the rows of an earlier version again, without ``version`` those before the live ones: a new version.

    By a map swap where that is possible: the idle side usually has the rows before still. Raises as :func:`apply`.
    """
    require_root()
    paths = Paths.from_environment()
    delivery = _Apply(paths, pipeline, asked, expected_version, progress or silent, back=True)
    if check:
        return delivery.plan(*delivery.earlier(version))[0]
    with node_lock(paths.run / "lock"):
        recovered = delivering.recovered(paths)
        done = delivery.run(*delivery.earlier(version))
        return replace(done, recovered=[*recovered, *done.recovered])


def diff(pipeline: str, compiled: Compiled) -> Dict[str, Difference]:
    """By table, between what is in the kernel and the document. Raises as :func:`apply` before its first write."""
    require_root()
    live = delivering.live(Paths.from_environment(), pipeline)
    compiled.check(pipeline, live.source.tables, DOCUMENT)
    return live.tables().differences(compiled.tables)


def show(pipeline: str, tables: Optional[Sequence[str]] = None) -> Shown:
    """The live rows of these tables, or of all. Raises :class:`BadInput` for one that the pipeline has not."""
    require_root()
    paths = Paths.from_environment()
    live = delivering.live(paths, pipeline)
    for name in tables or ():
        if name not in live.source.tables:
            known = ", ".join(live.source.tables) or "none"
            raise BadInput(DOCUMENT, "tables", f"{name!r} is no table of {pipeline}.", f"It has: {known}.")
    wanted = {name: each for name, each in live.source.tables.items() if tables is None or name in tables}
    standing = delivering.standing(paths, live)
    return Shown(
        pipeline,
        live.generation,
        standing.version,
        standing.digest,
        live.tables().snapshot(list(wanted)),
        wanted,
        {name: each for name, each in standing.drift.items() if each and name in wanted},
        standing.warnings,
    )


def history(pipeline: str) -> Told:
    """Raises :class:`~.errors.WirespeedError` for a history that cannot be read."""
    paths = Paths.from_environment()
    found = store.history(paths, pipeline)
    kept = [digest for digest in found.documents if store.path(paths, pipeline, digest).exists()]
    return Told(found.version, found.deliveries, kept, delivering.interrupted(paths, pipeline))


@dataclass(frozen=True)
class _Apply:
    paths: Paths
    pipeline: str
    asked: Strategy
    expected: Optional[int]
    progress: Progress
    back: bool = False

    def earlier(self, version: Optional[int]) -> Tuple[Compiled, Optional[int]]:
        """The rows to go back to, and their version."""
        known = store.history(self.paths, self.pipeline)
        found = known.previous() if version is None else known.find(version)
        if found is None:
            there = ", ".join(str(each.version) for each in known.deliveries) or "none"
            what = "no version before the live one" if version is None else f"no version {version}"
            raise BadInput(Place("version"), "", f"pipeline {self.pipeline} has {what}.", f"There are: {there}.")
        return store.document(self.paths, self.pipeline, found.digest), found.version

    def plan(self, compiled: Compiled, rollback_to: Optional[int] = None) -> "Tuple[Delivered, _Planned]":
        """Changes nothing."""
        live = delivering.live(self.paths, self.pipeline, self.progress)
        compiled.check(self.pipeline, live.source.tables, DOCUMENT)
        delivering.require_ours(self.paths, self.pipeline)
        known = store.history(self.paths, self.pipeline)
        self._require_version(known)
        differences = live.tables().differences(compiled.tables)
        if not total(differences) and known.digest == compiled.digest:
            told = Delivered(False, known.version, known.version, known.digest, "", "it is live", 0, {})
            return told, _Planned(live, known, {}, None)
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
        )
        return told, _Planned(live, known, differences, step)

    def run(self, compiled: Compiled, rollback_to: Optional[int] = None) -> Delivered:
        """Under the node's lock."""
        recovered = delivering.recovered(self.paths)
        told, planned = self.plan(compiled, rollback_to)
        if planned.step is None:
            return replace(told, recovered=recovered)
        store.keep(self.paths, compiled)
        if told.strategy == Strategy.PROGRAM_SWAP.value:
            result = delivering.by_program(self.paths, planned.live, planned.step, self.progress)
            told = replace(told, steps=result["steps"], warnings=result["warnings"])
        else:
            delivering.in_place(self.paths, planned.live, planned.step, planned.differences, self.progress)
        store.prune(self.paths, self.pipeline)
        return replace(told, recovered=recovered)

    def _decide(self, live: Live, differences: Mapping[str, Difference]) -> strategy.Decision:
        possible = delivering.possible(self.paths, live)
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


@dataclass(frozen=True)
class _Planned:
    live: Live
    known: History
    differences: Mapping[str, Difference]
    step: Optional[Step]


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))

