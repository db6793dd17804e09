# SPDX-License-Identifier: GPL-3.0-or-later
"""The health of the maps of pipelines that run here, as plain JSON data."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from typing import Any, Dict, Generator, List, Optional, Sequence

from .engine import require_root
from .map_health.reading import MapWatch
from .model.map_health import Level, MapUse
from .pipeline import instance, protocol, records
from .pipeline.pins import Paths
from .plain import plain


def watched(name: Optional[str], seconds: float) -> Generator[Dict[str, Any], None, None]:
    """Every ``seconds``, without an end, the maps of a pipeline, or of all: ``{"healthy": ..., "maps": [...]}``.

    The first comes after two readings, so that it has rates; at once, and without them, where ``seconds`` is 0. Raises
    :class:`~.errors.BadInput` for a pipeline that does not run here.
    """
    paths = _ready()
    return _watched(paths, running(paths) if name is None else [name], seconds)


def once(names: Sequence[str], seconds: float) -> Dict[str, Any]:
    """The first of :func:`watched`, of those among ``names`` that run."""
    paths = _ready()
    with closing(_watched(paths, [name for name in running(paths) if name in names], seconds)) as found:
        return next(found)


def running(paths: Paths) -> List[str]:
    """Pipelines whose maps have a manifest: not those that were adopted without one."""
    found = []
    for name in paths.pipelines():
        generation = instance.published(paths, name)
        record = records.read(paths, name, generation) if generation else None
        if record is not None and record.version != records.ADOPTED:
            found.append(name)
    return found


def _ready() -> Paths:
    require_root()
    paths = Paths.from_environment()
    protocol.check(paths)
    return paths


def _watched(paths: Paths, names: Sequence[str], seconds: float) -> Generator[Dict[str, Any], None, None]:
    with ExitStack() as stack:
        watches = [stack.enter_context(MapWatch.begin(paths, each)) for each in names]
        if seconds:
            for watch in watches:
                watch.read()
        while True:
            time.sleep(seconds)
            yield _told([use for watch in watches for use in watch.read()])


def _told(uses: List[MapUse]) -> Dict[str, Any]:
    return {"healthy": all(each.level is Level.OK for each in uses), "maps": [plain(each) for each in uses]}
