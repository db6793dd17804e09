# SPDX-License-Identifier: GPL-3.0-or-later
"""What a delivery needs of the node: what is live, what it may do there, and the transaction that does it."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from . import documents
from . import stored as states
from .apply import journal as journals
from .apply.executor import Transaction
from .apply.recover import pending, recover
from .config import store
from .config.difference import Difference, total
from .config.history import Delivery, History
from .config.rows import Held
from .config.strategy import Strategy
from .converge import actuators, prove
from .errors import BadInput, Place, Refused
from .kernel import bpffs, host, libbpf
from .model.step import Action, Step
from .observe import observe
from .pipeline import fitting, instance, protocol, records, traced
from .pipeline.actuator import PipelineActuator
from .pipeline.delivery import Progress, Tables, silent
from .pipeline.overview import overview
from .pipeline.pins import Paths
from .pipeline.source import PipelineSource
from .soaking import Soaking, Watched

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
        remedy = f"There are: {known}. Attach it first: 'wirespeed apply', or the modules node and pipeline."
        raise BadInput(PLACE, "name", f"no pipeline {pipeline!r} runs on this node.", remedy)
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


def user() -> str:
    return os.environ.get("SUDO_USER") or getpass.getuser()


def step(found: Live, known: History, delivery: Delivery) -> Step:
    """Of a delivery to the generation that is live. How it is undone, :func:`in_place` adds."""
    common = {"generation": found.generation, "strategy": delivery.strategy}
    swap = delivery.strategy == Strategy.PROGRAM_SWAP.value
    # With the version, because the generation that was made for these rows before may hold others by now.
    configured = f"{delivery.digest} {delivery.version}" if swap else known.configured
    before = {**common, "version": known.version, "digest": known.digest, "configured": known.configured}
    after = {
        **common,
        "version": delivery.version,
        "digest": delivery.digest,
        "configured": configured,
        "delivery": delivery.to_json(),
    }
    return Step(found.pipeline, Action.DELIVER, "config", before, after, delivery.why, f"version {delivery.version}")


def in_place(
    paths: Paths,
    found: Live,
    wanted: Step,
    differences: Mapping[str, Difference],
    progress: Progress,
    soaking: Optional[Soaking] = None,
) -> Sequence[str]:
    """One transaction on the generation that runs; returns what a soak could not judge. Raises
    :class:`~.apply.executor.ApplyFailed`, and :class:`~.converge.NotKept` where it did not prove itself."""
    pipelines = PipelineActuator(paths, {found.pipeline: found.source})
    pipelines.deliveries.progress = progress
    pipelines.deliveries.looked(wanted.after["digest"], differences)
    undo: Dict[str, Any] = {"word": found.tables().live_word().number}
    if wanted.after["strategy"] == Strategy.ENTRY.value:
        undo = {"undo": store.keep_undo(paths, found.pipeline, differences)}
    watched = {found.pipeline: Watched((), found.source.manifest)}
    with Transaction(actuators(pipelines), journals.start(_journal(paths), host.read().boot_id)) as transaction:
        if soaking is not None:
            soaking.before(watched)
        transaction.run([replace(wanted, before={**wanted.before, **undo})])
        notes = () if soaking is None else prove(transaction, soaking, watched)
        transaction.commit()
    return notes


def nics_of(paths: Paths, pipeline: Optional[str] = None) -> List[str]:
    """Those that carry this pipeline, or any of ours."""
    found = overview(paths)
    links = [link.ifname for link in found.links if pipeline is None]
    return links + [nic.name for each in found.pipelines if pipeline in (None, each.name) for nic in each.nics]


def recovered(paths: Paths) -> Tuple[str, ...]:
    """Undoes what a killed run had begun; a sentence for each step. For who holds the node's lock."""
    ended = traced.end_abandoned(paths)
    if not pending(_journal(paths)):
        return ended
    node = observe(paths, nics_of(paths))
    return ended + recover(_journal(paths), node.boot_id, actuators(PipelineActuator(paths, {})), node.nics)


def interrupted(paths: Paths, pipeline: str) -> Tuple[str, ...]:
    """What a reader is to be told while a killed delivery waits for the next run."""
    if not _begun(paths, pipeline):
        return ()
    return (f"A delivery to {pipeline} was killed half-way or is under way: the next run undoes one that was killed.",)


def standing(paths: Paths, found: Live, held: Mapping[str, Held]) -> Standing:
    """By the rows in the kernel, so that it is right also where a delivery was killed before its history was written,
    or after."""
    known = store.history(paths, found.pipeline)
    told = interrupted(paths, found.pipeline)
    versions = {known.version: known.digest}
    for begun in _begun(paths, found.pipeline):
        versions.update({said["version"]: said["digest"] for said in (begun.before, begun.after) if "version" in said})
    drifts = {version: _drift(paths, found, held, digest) for version, digest in versions.items()}
    candidates = {version: drift for version, drift in drifts.items() if drift is not None}
    if not candidates:
        return Standing(known.version, known.digest, {}, told)
    version = min(candidates, key=lambda each: total(candidates[each]))
    return Standing(version, versions[version], candidates[version], told)


def _drift(paths: Paths, found: Live, held: Mapping[str, Held], digest: str) -> Optional[Dict[str, Difference]]:
    """None where the rows of the document are not kept, or are of another layout."""
    document = fitting.known(paths, found.source, digest) if digest else None
    if document is None:
        return None
    differences = found.tables().compared(held, document.tables)
    return {name: each for name, each in differences.items() if each}


def _begun(paths: Paths, pipeline: str) -> List[Step]:
    steps = journals.unfinished(_journal(paths), host.read().boot_id) or []
    return [each for dummy, each in steps if each.action is Action.DELIVER and each.target == pipeline]


def _journal(paths: Paths) -> Path:
    return paths.state / "journal"
