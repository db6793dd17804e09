# SPDX-License-Identifier: GPL-3.0-or-later
"""What a delivery needs of the node: what is live, what it may do there, and the transaction that does it."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from . import bundle as bundles
from . import documents
from . import stored as states
from .apply import journal as journals
from .apply.executor import Transaction
from .apply.recover import pending, recover
from .config import store, strategy
from .config.compiled import layout_of
from .config.difference import Difference, total
from .config.history import Delivery, History
from .config.strategy import Possible, Strategy
from .converge import Converger, actuators
from .documents import Underway
from .errors import BadInput, Place, Refused
from .kernel import bpffs, host, libbpf
from .model.desired import DesiredDocument
from .model.intent import parse
from .model.step import Action, Step
from .model.stored import Stored, StoredNic
from .observe import observe
from .pipeline import instance, protocol, records
from .pipeline.actuator import PipelineActuator
from .pipeline.delivery import Progress, Tables, silent
from .pipeline.overview import overview
from .pipeline.pins import Paths
from .pipeline.source import PipelineSource

PLACE = Place("pipeline")


@dataclass(frozen=True)
class Live:
    """The generation that packets meet."""

    paths: Paths
    source: PipelineSource
    generation: str
    progress: Progress = silent

    @property
    def pipeline(self) -> str:
        return self.source.manifest.name

    def tables(self) -> Tables:
        return Tables(self.paths, self.source, self.generation, self.progress)


@dataclass(frozen=True)
class Standing:
    """Which version is in the kernel, and by table what differs from it all the same."""

    version: int
    digest: str
    drift: Mapping[str, Difference] = field(default_factory=dict)
    warnings: Tuple[str, ...] = ()


def live(paths: Paths, pipeline: str, progress: Progress = silent) -> Live:
    """Raises :class:`BadInput` for a pipeline that does not run here, :class:`Refused` for an adopted program."""
    libbpf.version()
    bpffs.require(paths.bpffs)
    protocol.check(paths)
    generation = instance.published(paths, pipeline)
    if generation is None:
        known = ", ".join(paths.pipelines()) or "none"
        raise BadInput(PLACE, "name", f"no pipeline {pipeline!r} runs on this node.", f"There are: {known}.")
    record = records.read(paths, pipeline, generation)
    if record is not None and record.version == records.ADOPTED:
        problem = f"Pipeline {pipeline} is a program that was adopted: no object says what its maps are."
        raise Refused(problem, "Load its object as a pipeline.")
    return Live(paths, records.stored(paths, pipeline, generation), generation, progress)


def require_ours(paths: Paths, pipeline: str) -> None:
    """Raises :class:`Refused` where the intent has the rows: its next run would write them over the document's."""
    stored = states.read(paths)
    for each in stored.pipelines if stored is not None else ():
        if each.name == pipeline and documents.fills_tables(each.asked):
            raise Refused(
                f"The tables of pipeline {pipeline} are filled by the intent of this node ('tables' of its entry).",
                "Run the playbook without 'tables' there, then deliver documents; or change the rows in the playbook.",
            )


def possible(paths: Paths, found: Live) -> Possible:
    tables = found.tables()
    allowed = strategy.allowed(found.source.manifest)
    return Possible(tables.word, frozenset(tables.doubled), allowed, _no_reload(paths, found.pipeline))


def _no_reload(paths: Paths, pipeline: str) -> str:
    stored = states.read(paths)
    if stored is not None and any(each.name == pipeline and each.asked for each in stored.pipelines):
        return ""
    return "what this node is to run is not stored, so that another generation cannot be loaded"


def user() -> str:
    return os.environ.get("SUDO_USER") or getpass.getuser()


def step(found: Live, known: History, delivery: Delivery) -> Step:
    """Of a delivery to the generation that is live. How it is undone, :func:`in_place` adds."""
    common = {"generation": found.generation, "strategy": delivery.strategy}
    swap = delivery.strategy == Strategy.PROGRAM_SWAP.value
    configured = delivery.digest if swap else known.configured
    before = {**common, "version": known.version, "digest": known.digest, "configured": known.configured}
    after = {
        **common,
        "version": delivery.version,
        "digest": delivery.digest,
        "configured": configured,
        "delivery": delivery.to_json(),
    }
    return Step(found.pipeline, Action.DELIVER, "config", before, after, delivery.why, f"version {delivery.version}")


def _drift(paths: Paths, found: Live, digest: str) -> Dict[str, Difference]:
    document = store.document(paths, found.pipeline, digest)
    if document.layout != layout_of(found.source.tables):
        return {}
    differences = found.tables().differences(document.tables)
    return {name: each for name, each in differences.items() if each}


def in_place(
    paths: Paths, found: Live, wanted: Step, differences: Mapping[str, Difference], progress: Progress
) -> Sequence[Step]:
    """One transaction on the generation that runs. Raises :class:`~.apply.executor.ApplyFailed`."""
    pipelines = PipelineActuator(paths, {found.pipeline: found.source})
    pipelines.deliveries.progress = progress
    pipelines.deliveries.looked(wanted.after["digest"], differences)
    undo: Dict[str, Any] = {"word": found.tables().live_word().number}
    if wanted.after["strategy"] == Strategy.ENTRY.value:
        undo = {"undo": store.keep_undo(paths, found.pipeline, differences)}
    transaction = Transaction(actuators(pipelines), journals.start(_journal(paths), host.read().boot_id))
    transaction.run([replace(wanted, before={**wanted.before, **undo})])
    return transaction.commit()


def by_program(paths: Paths, found: Live, wanted: Step, progress: Progress) -> Dict[str, Any]:
    """Another generation with the rows in it, by a whole run on the NICs that carry the pipeline: its packets are
    tested, state is handed over, its health is watched. Raises as :meth:`~.converge.Converger.run`."""
    stored = states.read(paths)
    if stored is None:
        raise Refused(f"{_no_reload(paths, found.pipeline)}.".capitalize())
    part = _part(stored, found.pipeline, _nics(paths, found.pipeline))
    bundle = bundles.parse(states.bundle_of(paths, part))
    place = Place(str(states.path(paths)))
    after = {key: value for key, value in wanted.after.items() if key not in ("generation", "strategy")}
    underway = Underway(found.pipeline, DesiredDocument(wanted.after["digest"], wanted.before, after))
    return Converger(parse(part.intent, place), bundle, paths, place, underway, progress).run_locked()


def _part(stored: Stored, pipeline: str, nics: Sequence[str]) -> Stored:
    """Of what is stored: this pipeline on its NICs, whose settings are left as they are."""
    entries: List[StoredNic] = []
    for nic in stored.nics:
        for name in nic.found:
            if nic.pipeline == pipeline and name in nics:
                named = nic.named(name)
                kept = ("name", "pipeline", "mode", "max_disruption", "profile")
                entry = {key: value for key, value in named.entry.items() if key in kept}
                entries.append(StoredNic({**entry, "profile_tuning": False}, (name,), nic.profiles))
    pipelines = tuple(each for each in stored.pipelines if each.name == pipeline)
    return Stored(tuple(entries), pipelines, stored.support)


def _nics(paths: Paths, pipeline: Optional[str] = None) -> List[str]:
    """Those that carry this pipeline, or any of ours."""
    found = overview(paths)
    links = [link.ifname for link in found.links if pipeline is None]
    return links + [nic.name for each in found.pipelines if pipeline in (None, each.name) for nic in each.nics]


def recovered(paths: Paths) -> Tuple[str, ...]:
    """Undoes what a killed run had begun; a sentence for each step. For who holds the node's lock."""
    if not pending(_journal(paths)):
        return ()
    node = observe(paths, _nics(paths))
    return recover(_journal(paths), node.boot_id, actuators(PipelineActuator(paths, {})), node.nics)


def interrupted(paths: Paths, pipeline: str) -> Tuple[str, ...]:
    """What a reader is to be told while a killed delivery waits for the next run."""
    if not _begun(paths, pipeline):
        return ()
    return (f"A delivery to {pipeline} was killed half-way or is under way: the next run undoes one that was killed.",)


def standing(paths: Paths, found: Live) -> Standing:
    """By the rows in the kernel, so that it is right also where a delivery was killed before its history was written,
    or after."""
    known = store.history(paths, found.pipeline)
    told = interrupted(paths, found.pipeline)
    versions = {known.version: known.digest}
    for begun in _begun(paths, found.pipeline):
        versions.update({said["version"]: said["digest"] for said in (begun.before, begun.after) if "version" in said})
    candidates = {
        version: _drift(paths, found, digest)
        for version, digest in versions.items()
        if digest and store.path(paths, found.pipeline, digest).exists()
    }
    if not candidates:
        return Standing(known.version, known.digest, {}, told)
    version = min(candidates, key=lambda each: total(candidates[each]))
    return Standing(version, versions[version], candidates[version], told)


def _begun(paths: Paths, pipeline: str) -> List[Step]:
    steps = journals.unfinished(_journal(paths), host.read().boot_id) or []
    return [each for dummy, each in steps if each.action is Action.DELIVER and each.target == pipeline]


def _journal(paths: Paths) -> Path:
    return paths.state / "journal"
