# SPDX-License-Identifier: GPL-3.0-or-later
"""Foretell what another kernel changes for this node, keep that over the reboot, and compare it with what came."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from . import bundle as bundles
from . import report
from . import stored as states
from .bundle import Bundle
from .counters import raw
from .counters.table import CounterTable, parse
from .counters.unify import UnifiedCounters, unify
from .desire import asked, desire
from .engine import require_root
from .errors import BadInput, Place, WirespeedError
from .kernel import bound_driver, installed_kernel, module_options
from .kernel.host import parse_release
from .kernel.installed_kernel import InstalledKernel
from .model.intent import Intent
from .model.intent import parse as parse_intent
from .model.nic import Nic
from .model.node import Node
from .model.step import Action
from .nic.on_demand import with_asked
from .nic.table import SETTLE
from .observe import observe
from .pipeline.pins import Paths
from .pipeline.records import write_file
from .plain import plain
from .plan.planner import plan
from .profiles import match
from .profiles.merge import merge
from .redirect import select_with_targets
from .selection import matches
from .upgrade import counter_ways, expectation, projection, reading
from .upgrade.change import Change, Severity
from .upgrade.compare import compare, worst
from .upgrade.evidence import KernelFacts
from .upgrade.expectation import Expectation
from .upgrade.sight import Sight

ROOT = Path("/")
BEFORE, AFTER = "before", "after"
KEEP, PRETEND, LEAVE = "keep", "pretend", "leave"
"""What becomes of the record: it is written, it is only told whether it would be, or neither."""

Given = Tuple[Mapping[str, Any], Mapping[str, Any], str]
"""An intent, its bundle, and what errors call it."""


def record_path(paths: Paths) -> Path:
    return paths.state / "upgrade.json"


@dataclass(frozen=True)
class _Asked:
    """One intent with what it was observed on: ``tables`` and ``seen`` (what is counted now) by NIC."""

    intent: Intent
    bundle: Bundle
    place: Place
    node: Node
    names: Tuple[str, ...]
    tables: Mapping[str, CounterTable]
    seen: Mapping[str, UnifiedCounters]


def foretell(given: Optional[Given], to: str, record: str) -> Dict[str, Any]:
    """What the kernel ``to`` changes (the newest that is installed, for an empty text); see ``docs/kernel_upgrade.md``.

    Without ``given``, for what runs on this node have asked so far. Returns ``phase`` (:data:`AFTER` where that kernel
    runs already: nothing is foretold then), ``kernel``, ``target``, ``severity``, ``changes``, ``notes``, ``steps`` and
    ``refusals`` of the plan after the boot (without settings: what a driver starts with, it alone tells), and
    ``changed``: whether the record was written, which :data:`KEEP`, :data:`PRETEND` and :data:`LEAVE` say.
    """
    require_root()
    paths = Paths.from_environment()
    target = installed_kernel.find(to or _newest(), ROOT)
    running = platform.release()
    told: Dict[str, Any] = {"changed": False, "kernel": running, "target": target.release, "phase": BEFORE}
    if target.release == running:
        return {**told, "phase": AFTER, "severity": None, "changes": [], "steps": [], "refusals": [], "notes": []}
    changes: List[Change] = []
    kept = Expectation(running, target.release, {})
    notes: List[str] = []
    steps: List[Any] = []
    refusals: List[Any] = []
    for each in _asked(given, paths):
        now, then = _sights(each, InstalledKernel(running, ROOT), target)
        if now.problem and then.problem:
            raise WirespeedError(then.problem)
        found = compare(each.node, now, then, each.tables, module_options.read(ROOT), _firmware(then.facts))
        changes += [change for change in found if change not in changes]
        notes += [f"{sight.facts.kernel.release}: {note}" for sight in (now, then) for note in sight.facts.notes]
        steps += report.steps_json([step for step in then.plan.steps if step.action is not Action.SET])
        refusals += report.refusals_json(then.plan.refusals)
        part = expectation.expected(then, found, running)
        kept = replace(kept, nics={**kept.nics, **part.nics}, changes=(*kept.changes, *part.changes))
    return {
        **told,
        "changed": _keep(paths, kept, record),
        "severity": _worst(changes),
        "changes": plain(changes),
        "steps": steps,
        "refusals": refusals,
        "notes": list(dict.fromkeys(notes)),
    }


def compared(given: Optional[Given]) -> Dict[str, Any]:
    """How this node differs from what was foretold for its kernel.

    Returns ``kernel``, ``foretold`` (the kernel that ran then; empty where there is no record for this one),
    ``differences``, ``untold`` (values that could not be foretold), ``left`` (steps that a run would take now) and
    ``changes`` as they were foretold.
    """
    require_root()
    paths = Paths.from_environment()
    running = platform.release()
    kept = read_record(paths)
    told: Dict[str, Any] = {
        "changed": False,
        "kernel": running,
        "foretold": "",
        "differences": [],
        "untold": [],
        "changes": [],
    }
    found: Dict[str, expectation.NicExpectation] = {}
    left: List[Any] = []
    for each in _asked(given, paths):
        facts = KernelFacts(parse_release(running))
        sight = _sight(each, each.node, facts)
        if sight.problem:
            raise WirespeedError(sight.problem)
        sight = replace(sight, counters={name: counter_ways.now(seen) for name, seen in each.seen.items()})
        found.update(expectation.real(sight, {name: each.node.nics[name] for name in each.names}))
        left += report.steps_json(sight.plan.steps)
    told["left"] = left
    if kept is None or kept.target != running:
        return told
    return {
        **told,
        "foretold": kept.kernel,
        "differences": plain(expectation.differences(kept, found)),
        "untold": plain(expectation.untold(kept, found)),
        "changes": list(kept.changes),
    }


def read_record(paths: Paths) -> Optional[Expectation]:
    """None where nothing was foretold. Raises :class:`BadInput` for a record that is damaged."""
    path = record_path(paths)
    try:
        return Expectation.from_json(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput(Place(str(path)), "", f"cannot be read: {error.strerror}.", "Correct its mode.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"is damaged, so what was foretold is not known ({type(error).__name__}: {error})."
        raise BadInput(Place(str(path)), "", problem, "Remove it.") from None


def _keep(paths: Paths, kept: Expectation, how: str) -> bool:
    """Whether it was, or would be, written: not where the same stands there."""
    data = json.dumps(kept.to_json(), sort_keys=True, separators=(",", ":")).encode()
    path = record_path(paths)
    if how == LEAVE or (path.is_file() and path.read_bytes() == data):
        return False
    if how == KEEP:
        write_file(path, data)
    return True


def _newest() -> str:
    found = installed_kernel.releases(ROOT)
    if not found:
        remedy = "Install the package of the kernel that this node is to boot."
        raise BadInput(Place("/lib/modules"), "", "holds no kernel.", remedy)
    return found[-1]


def _asked(given: Optional[Given], paths: Paths) -> List[_Asked]:
    """Given, or all that is stored. Raises :class:`WirespeedError` where there is neither."""
    if given is not None:
        return [_look(paths, *given)]
    stored = states.read(paths)
    if stored is None or not stored.nics:
        raise WirespeedError(
            f"Nothing is said of what this node should be: no run has stored anything in {states.path(paths)}.",
            "Give an intent with --file, or let a run of the playbook go before.",
        )
    source = str(states.path(paths))
    return [_look(paths, batch.intent, states.bundle_of(paths, batch), source) for batch in stored.batches()]


def _look(paths: Paths, data: Mapping[str, Any], bundled: Mapping[str, Any], source: str) -> _Asked:
    place = Place(source)
    intent, bundle = parse_intent(data, place), bundles.parse(bundled)
    node = observe(paths, intent.names)
    node = with_asked(node, asked(intent, bundle, node, place))
    selected = select_with_targets(intent, node, bundle.profiles, place)
    tables, seen = {}, {}
    for nic, wanted in selected:
        merged = merge(match.select(bundle.profiles, nic, node, wanted.profile), wanted.workload.value)
        entries = {name: entry.value for name, entry in merged.section("counters").items()}
        tables[nic.name] = parse(entries, Place(f"counters of the profile for {nic.name}"))
        seen[nic.name] = unify(tables[nic.name], raw.read(nic.name, nic.ifindex), node.kernel.version)
    return _Asked(intent, bundle, place, node, tuple(tables), tables, seen)


def _sights(each: _Asked, running: InstalledKernel, target: InstalledKernel) -> Tuple[Sight, Sight]:
    wanted = {name: _driver(each.node.nics[name]) for name in each.names}
    now, then = _running(running, wanted), reading.read(target, wanted)
    first = _sight(each, projection.booted(each.node, now), now)
    second = _sight(each, projection.booted(each.node, then, now), then)
    shown = {name: counter_ways.now(each.seen[name]) for name in each.names}
    after = {
        name: counter_ways.then(name, each.tables[name], each.seen[name], now, then)
        for name in each.names
        if name in second.node.nics
    }
    return replace(first, counters=shown), replace(second, counters=after)


def _driver(nic: Nic) -> Tuple[Tuple[str, ...], str]:
    bound = bound_driver.read(nic.name)
    return reading.module_names(nic, bound), bound.modalias


def _running(kernel: InstalledKernel, wanted: Mapping[str, Tuple[Tuple[str, ...], str]]) -> KernelFacts:
    """Its package may have been removed while it runs: then less can be compared, and a note says so."""
    try:
        return reading.read(kernel, wanted)
    except BadInput as error:
        return reading.unread(kernel, wanted, str(error))


def _sight(each: _Asked, node: Node, facts: KernelFacts) -> Sight:
    """What the intent comes to on ``node``, of whose NICs some may be gone."""
    there = [nic for nic in each.intent.nics if any(matches(found, nic) for found in node.nics.values())]
    intent = replace(each.intent, nics=tuple(there))
    try:
        desired = desire(intent, each.bundle, node, each.place)
        return Sight(facts, node, desired, plan(node, desired, SETTLE))
    except WirespeedError as error:
        return Sight(facts, node, problem=str(error))


def _firmware(kernel: KernelFacts) -> Set[str]:
    """Those of the files that the drivers ask for that are here, packed or not (drivers/base/firmware_loader)."""
    asked_for = {file for each in kernel.drivers.values() for module in each.modules for file in module.firmware}
    folders = [ROOT / "lib/firmware/updates", ROOT / "lib/firmware"]
    packed = ("", ".xz", ".zst")
    return {file for file in asked_for if any((at / (file + end)).exists() for at in folders for end in packed)}


def _worst(changes: List[Change]) -> Optional[str]:
    return worst(changes).value if changes else None


def exit_code(severity: Optional[str]) -> int:
    """0: nothing that a pipeline or a profile makes use of. 2: something changes. 1: something breaks."""
    return {Severity.BREAKS.value: 1, Severity.CHANGES.value: 2}.get(severity or "", 0)
