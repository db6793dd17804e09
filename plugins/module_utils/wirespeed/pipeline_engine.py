# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on pipelines that are there: list them, go back to an earlier generation, take one off, collect the rest.

Each returns plain JSON data, those that change something in the shape of :func:`.engine.converge`.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

from . import bundle as bundles
from . import report, stored
from .apply.executor import Transaction
from .apply.journal import start
from .apply.lock import node_lock
from .apply.recover import recover
from .bundle import Bundle
from .config import store
from .converge import Converger, actuators
from .engine import require_root
from .errors import BadInput, Place
from .model.intent import Attach, Intent, NicIntent, PipelineIntent
from .model.nic import Nic
from .model.node import Node
from .model.step import Plan, Step
from .observe import observe
from .pipeline import expiry, garbage, history, instance, protocol, records, root, traced
from .pipeline.actuator import PipelineActuator
from .pipeline.overview import overview, previous
from .pipeline.pins import Paths
from .pipeline.source import PipelineSource
from .plain import plain
from .plan.removal import publish_alone, removal

PLACE = Place("pipeline")


def listing() -> Dict[str, Any]:
    """Every pipeline with its generations and NICs, and what belongs to none."""
    require_root()
    data: Dict[str, Any] = plain(overview(Paths.from_environment()))
    del data["links"]
    return data


def collected(keep: int, check: bool) -> Dict[str, Any]:
    """Removes generations that neither run nor are among the ``keep`` newest others, and what was never completed."""
    require_root()
    paths = Paths.from_environment()
    if check:
        found = overview(paths)
        removed = [
            f"{each.name}/{spare}" for each in found.pipelines for spare in garbage.spare(paths, each.name, keep)
        ]
        return {"changed": bool(removed), "removed": removed, "orphans": list(found.orphans)}
    with node_lock(paths.run / "lock"):
        traced.end_abandoned(paths)
        removed = garbage.collect(paths, keep)
    return {"changed": bool(removed), "removed": removed, "orphans": list(overview(paths).orphans)}


def swept(name: str, check: bool) -> Dict[str, Any]:
    """Takes out what is over in the maps of the generation that runs, as its manifest's ``expires`` says.

    Raises :class:`BadInput` for a pipeline that does not run here.
    """
    require_root()
    paths = Paths.from_environment()
    protocol.check(paths)
    with node_lock(paths.run / "lock"):
        generation = instance.published(paths, name)
        if generation is None:
            known = ", ".join(paths.pipelines()) or "none"
            raise BadInput(PLACE, "name", f"no pipeline {name!r} runs on this node.", f"There are: {known}.")
        maps = expiry.sweep(paths, records.stored(paths, name, generation), generation, check)
    found = {each.map: {"visited": each.visited, "removed": each.removed} for each in maps}
    return {"changed": any(each.removed for each in maps), "maps": found}


def rolled_back(name: str, generation: Optional[str], bundle: Mapping[str, Any], check: bool) -> Dict[str, Any]:
    """Publishes an earlier generation with the rows that it has; without a name the one that was published before.

    At once: without test packets and health gate. Nothing to do where it runs already, or, without a name, where the
    last publish was a rollback or the first. The next boot brings back what runs then. Raises :class:`BadInput` for a
    generation that is not there.
    """
    require_root()
    paths = Paths.from_environment()
    protocol.check(paths)
    live = instance.published(paths, name)
    if generation is None and history.rolled_back(history.read(paths, name), live):
        return _nothing(f"Pipeline {name} was rolled back to {live} already; name a generation to go on to another.")
    wanted = _chosen(paths, name, generation, live)
    if wanted is None:
        return _nothing(f"Pipeline {name} has no generation before {live}, so there is none to go back to.")
    if wanted == live:
        return _nothing("")
    if _adopted(paths, name, wanted):
        return _publish_as_it_is(paths, name, wanted, live, check)
    source = records.stored(paths, name, wanted)
    node = observe(paths, _names(paths))
    intent = _as_it_was(paths, node, source)
    profiles = bundles.parse(bundle).profiles
    converger = Converger(intent, Bundle(profiles, {name: source}), paths, PLACE)
    if check:
        return converger.predict()

    def keep(dummy: Node) -> Sequence[str]:
        history.mark_rollback(paths, name)
        stored.replace_pipeline(paths, name, bundles.item(source), intent.pipelines[0].tables)
        return ()

    return converger.run(keep)


def _chosen(paths: Paths, name: str, generation: Optional[str], live: Optional[str]) -> Optional[str]:
    """None where no name is given and none was published before."""
    there = [*garbage.newest_first(paths, name), *records.stored_generations(paths, name)]
    if name not in paths.pipelines():
        known = ", ".join(paths.pipelines()) or "none"
        raise BadInput(PLACE, "name", f"there is no pipeline {name!r} on this node.", f"There are: {known}.")
    if generation is None:
        return previous(paths, name)
    matching = sorted({each for each in there if each.startswith(generation)})
    if len(matching) != 1:
        problem = (
            f"{generation!r} is {'no' if not matching else 'the beginning of more than one'} generation of {name}."
        )
        raise BadInput(PLACE, "generation", problem, f"There are: {', '.join(dict.fromkeys(there))}.")
    return matching[0]


def _adopted(paths: Paths, name: str, generation: str) -> bool:
    record = records.read(paths, name, generation)
    return record is not None and record.version == records.ADOPTED


def _as_it_was(paths: Paths, node: Node, source: PipelineSource) -> Intent:
    """What the NICs of the pipeline carry now, with the generation's own rows in place of the present ones; a document
    that was delivered stays what it is."""
    name, generation = source.manifest.name, source.generation
    nics = tuple(
        NicIntent("name", nic.name, pipeline=name, mode=nic.xdp.mode, profile_tuning=False)
        for nic in node.nics.values()
        if nic.xdp is not None and nic.xdp.pipeline == name
    )
    own = generation in paths.generations(name) and not store.history(paths, name).version
    tables = instance.rows(paths, name, generation, source.tables) if own else {}
    present = root.facts(paths, name)
    attach = Attach.DIRECT if present is not None and present.direct else Attach.ROOT
    return Intent(nics, (PipelineIntent(name, name, tables, attach=attach, unwatched=True),))


def _publish_as_it_is(paths: Paths, name: str, generation: str, live: Optional[str], check: bool) -> Dict[str, Any]:
    """An adopted program has no object of ours to plan with: one write of the slot."""
    steps = publish_alone(name, live, generation)
    if check:
        return _done(steps)
    notes = _run(paths, steps)
    history.mark_rollback(paths, name)
    return _done(steps, notes)


def detached(name: str, nics: Sequence[str], check: bool) -> Dict[str, Any]:
    """Takes a pipeline off these NICs, or off all that carry it; with its last NIC it is unloaded.

    Not there is no error. The next boot leaves the NICs without it.
    """
    require_root()
    paths = Paths.from_environment()
    protocol.check(paths)
    node = observe(paths, [*_names(paths), *nics])
    for nic in nics:
        if nic not in node.nics:
            known = ", ".join(node.nics) or "no NIC"
            raise BadInput(PLACE, "nics", f"{nic!r} is not on this node.", f"It has: {known}.")
    carriers = [nic for nic in node.nics.values() if _carries(nic, name)]
    chosen = [nic for nic in carriers if not nics or nic.name in nics]
    last = len(chosen) == len(carriers)
    steps = removal(node, name, chosen, last)
    if not check:
        if steps:
            _run(paths, steps)
        stored.forget(paths, nics=(), pipelines=[name]) if last else stored.forget(paths, [nic.name for nic in chosen])
    return _done(steps)


def _carries(nic: Nic, name: str) -> bool:
    return nic.dead_link == name or (nic.xdp is not None and nic.xdp.pipeline == name)


def _names(paths: Paths) -> List[str]:
    """NICs that carry something of ours: virtual ones are looked at only when they are named."""
    found = overview(paths)
    return [link.ifname for link in found.links] + [nic.name for each in found.pipelines for nic in each.nics]


def _run(paths: Paths, steps: Sequence[Step]) -> List[str]:
    """One transaction, after what a killed run left is undone; what it could not bring along, in sentences."""
    with node_lock(paths.run / "lock"):
        pipelines, journal = PipelineActuator(paths, {}), paths.state / "journal"
        carry_out = actuators(pipelines)
        node = observe(paths, _names(paths))
        traced.end_abandoned(paths)
        recover(journal, node.boot_id, carry_out, node.nics)
        with Transaction(carry_out, start(journal, node.boot_id)) as transaction:
            transaction.run(steps)
            transaction.commit()
        garbage.collect(paths)
        return pipelines.notes


def _done(steps: Sequence[Step], notes: Sequence[str] = ()) -> Dict[str, Any]:
    plan = Plan(tuple(steps))
    return {
        "changed": bool(steps),
        "steps": report.steps_json(steps),
        "corrections": [],
        "deviations": report.deviations(plan),
        "nics": [],
        "warnings": list(notes),
        "recovered": [],
        "diff": {"prepared": report.numbered(steps)},
    }


def _nothing(why: str) -> Dict[str, Any]:
    return _done((), [why] if why else [])
