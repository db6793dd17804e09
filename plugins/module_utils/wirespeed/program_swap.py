# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration delivered by another generation of the same code, as the stored intent loads it."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from . import bundle as bundles
from . import stored as states
from .converge import Converger
from .delivering import Live, nics_of
from .documents import Underway
from .errors import Place, Refused
from .model.desired import DesiredDocument
from .model.intent import parse
from .model.step import Step
from .model.stored import Stored, StoredNic
from .pipeline.delivery import Progress
from .pipeline.pins import Paths
from .soak_option import Soak

_NOT_STORED = "what this node is to run is not stored, so that another generation cannot be loaded"


def why_not(paths: Paths, pipeline: str) -> str:
    """Half a sentence; empty where it is possible."""
    stored = states.read(paths)
    if stored is not None and any(each.name == pipeline and each.asked for each in stored.pipelines):
        return ""
    return _NOT_STORED


def run(
    paths: Paths,
    found: Live,
    wanted: Step,
    progress: Progress,
    soak: Optional[Soak] = None,
    listener: Optional[int] = None,
) -> Dict[str, Any]:
    """Another generation with the rows in it, by a whole run on the NICs that carry the pipeline: its packets are
    tested, state is handed over, its health is watched. Raises as :meth:`~.converge.Converger.run`."""
    return _converger(paths, found, wanted, progress, soak, listener).run_locked()


def predict(paths: Paths, found: Live, wanted: Step, progress: Progress) -> Dict[str, Any]:
    """What :func:`run` would do; changes nothing."""
    return _converger(paths, found, wanted, progress).predict()


def _converger(
    paths: Paths,
    found: Live,
    wanted: Step,
    progress: Progress,
    soak: Optional[Soak] = None,
    listener: Optional[int] = None,
) -> Converger:
    stored = states.read(paths)
    if stored is None:
        raise Refused(f"{_NOT_STORED.capitalize()}.")
    part = _part(stored, found.pipeline, nics_of(paths, found.pipeline))
    bundle = bundles.parse(states.bundle_of(paths, part))
    place = Place(str(states.path(paths)))
    after = {key: value for key, value in wanted.after.items() if key not in ("generation", "strategy")}
    underway = Underway(found.pipeline, DesiredDocument(wanted.after["digest"], wanted.before, after))
    return Converger(parse(part.intent, place), bundle, paths, place, underway, progress, soak, listener)


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
