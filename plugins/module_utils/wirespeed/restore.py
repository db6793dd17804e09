# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a node back to its stored state, with nothing but what is on the node."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Sequence

from . import bundle as bundles
from . import stored as states
from .arrival import Seen, missing, standing_for, targets, wait_for
from .converge import Converger
from .errors import Busy, MissingPrerequisite, Place, WirespeedError
from .model.intent import parse
from .model.step import Disruption
from .model.stored import Stored, StoredNic
from .pipeline.pins import Paths

_OF_ALL = (Busy, MissingPrerequisite)


@dataclass
class Restored:
    """``missing`` are NICs that did not come; ``failed`` says of what else is not as stored, and why."""

    missing: List[str]
    failed: List[str] = field(default_factory=list)
    warnings: List[str] = field(default_factory=list)
    steps: List[Dict[str, Any]] = field(default_factory=list)
    nics: List[Dict[str, Any]] = field(default_factory=list)

    def add(self, result: Dict[str, Any]) -> None:
        self.steps += result["steps"]
        self.nics += result["nics"]
        self.warnings += result["warnings"]

    @property
    def whole(self) -> bool:
        return not self.missing and not self.failed


def restore(paths: Paths, stored: Stored, patience: float, up: bool = False) -> Restored:
    """Waits at most ``patience`` seconds for the NICs (to be up), then converges those that are there.

    Raises :class:`WirespeedError` only for what concerns all of them: no libbpf, a damaged object, another run's lock.
    """
    there = wait_for(stored, patience, up)
    done = Restored(missing(stored, there))
    for batch in present(stored, there).batches():
        bundle = bundles.parse(states.bundle_of(paths, batch))
        for part in _tries(paths, batch, bundle, done):
            try:
                done.add(_converge(paths, part, bundle))
            except _OF_ALL:
                raise
            except WirespeedError as error:
                done.failed.append(str(error))
    return done


def _tries(paths: Paths, batch: Stored, bundle: bundles.Bundle, done: Restored) -> Sequence[Stored]:
    """All in one transaction; where that cannot be, each NIC in its own, so that one does not cost the others."""
    if len(batch.nics) < 2:
        return [batch]
    try:
        done.add(_converge(paths, batch, bundle))
    except _OF_ALL:
        raise
    except WirespeedError as error:
        done.warnings.append(f"All NICs in one go failed, so each was tried by itself: {error}")
        return [_alone(batch, nic) for nic in batch.nics]
    return []


def _converge(paths: Paths, stored: Stored, bundle: bundles.Bundle) -> Dict[str, Any]:
    place = Place(str(states.path(paths)))
    return Converger(parse(stored.intent, place), bundle, paths, place).run()


def _alone(batch: Stored, nic: StoredNic) -> Stored:
    pipelines = tuple(each for each in batch.pipelines if each.asked is None or each.name == nic.pipeline)
    return replace(batch, nics=(nic,), pipelines=pipelines)


def present(stored: Stored, there: Sequence[Seen]) -> Stored:
    """Without NICs and targets that did not come. One that is down carries no traffic that a step could disturb."""
    names = [nic.name for nic in there]
    nics: List[StoredNic] = []
    for nic in stored.nics:
        found = standing_for(nic, there)
        if not found:
            continue
        entry = dict(nic.entry)
        if targets(replace(stored, nics=(nic,))):
            entry["redirect_to"] = [name for name in entry["redirect_to"] if name in names]
        if not any(each.up for each in found):
            entry["max_disruption"] = Disruption.GAP.value
        nics.append(replace(nic, entry=entry))
    return replace(stored, nics=tuple(nics))
