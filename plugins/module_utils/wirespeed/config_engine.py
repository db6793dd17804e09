# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on a pipeline's configuration: deliver a document, compare, read back from the kernel, history, roll back.

A document is compiled by then (:class:`~.config.compiled.Compiled`), so everything about its text is checked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Mapping, Optional, Sequence

from . import delivering
from .apply.lock import node_lock
from .config import store
from .config.compiled import Compiled
from .config.difference import Difference
from .config.history import Delivery
from .config.packed import Packed
from .config.strategy import Strategy
from .config.tables import Table
from .config_apply import DOCUMENT, Apply, Delivered
from .engine import require_root
from .errors import BadInput
from .pipeline.delivery import Progress, silent
from .pipeline.pins import Paths
from .pipeline.source import PipelineSource
from .soak_option import Soak

__all__ = [
    "DOCUMENT",
    "Delivered",
    "Differing",
    "Shown",
    "Told",
    "apply",
    "diff",
    "history",
    "rollback",
    "show",
    "source",
]


@dataclass(frozen=True)
class Shown:
    """What is in the kernel. ``tables`` are rows in the table's order, and ``codecs`` turn them into text
    (:meth:`~.config.tables.Table.unpack`). ``drift`` is what was written behind our back: the difference to the
    delivered ``version``, by table. ``warnings`` tell of a delivery that was killed half-way."""

    pipeline: str
    schema: int
    generation: str
    version: int
    digest: str
    tables: Mapping[str, Packed]
    codecs: Mapping[str, Table]
    drift: Mapping[str, Difference]
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Differing:
    """What is in the kernel and a document, by table; ``codecs`` turn the rows into text."""

    tables: Mapping[str, Difference]
    codecs: Mapping[str, Table]


@dataclass(frozen=True)
class Told:
    """The deliveries of a pipeline, oldest first, and the digests whose rows are kept for a rollback."""

    version: int
    deliveries: Sequence[Delivery]
    kept: Sequence[str]
    warnings: Sequence[str] = ()


def apply(
    pipeline: str,
    compiled: Compiled,
    strategy: Strategy = Strategy.AUTO,
    expected_version: Optional[int] = None,
    check: bool = False,
    progress: Optional[Progress] = None,
    soak: Optional[Soak] = None,
    listener: Optional[int] = None,
) -> Delivered:
    """Makes the document the live configuration: all of it, or nothing of it.

    ``expected_version`` is the version that it is to follow, 0 for the first: where another one is live with other
    rows, it is refused. With ``soak`` it is undone where it does not prove itself (:mod:`.soaking`).
    Raises :class:`BadInput` for a document of another pipeline or layout, or with more rows than there is room for,
    :class:`Refused` for what cannot be done here, and :class:`~.apply.executor.ApplyFailed` after undoing all.
    """
    require_root()
    paths = Paths.from_environment()
    delivery = Apply(paths, pipeline, strategy, expected_version, progress or silent, soak=soak, listener=listener)
    if check:
        return delivery.predict(compiled)
    with node_lock(paths.run / "lock"):
        return delivery.run(compiled)


def rollback(
    pipeline: str,
    version: Optional[int] = None,
    strategy: Strategy = Strategy.AUTO,
    expected_version: Optional[int] = None,
    check: bool = False,
    progress: Optional[Progress] = None,
) -> Delivered:
    """Delivers the rows of an earlier version again, without ``version`` those before the live ones: a new version.
    Without ``version`` a second one in a row changes nothing, nor does one where no document was ever delivered.

    By a map swap where that is possible: the idle side usually has the rows before still. Raises as :func:`apply`.
    """
    require_root()
    paths = Paths.from_environment()
    if version is None and not store.history(paths, pipeline).deliveries:
        delivering.live(paths, pipeline)
        told = f"No document was delivered to {pipeline} yet, so there is none to go back to."
        return Delivered(False, 0, 0, "", "", "no document was delivered yet", 0, {}, warnings=[told])
    delivery = Apply(paths, pipeline, strategy, expected_version, progress or silent, back=True)
    if check:
        return delivery.predict(*delivery.earlier(version))
    with node_lock(paths.run / "lock"):
        recovered = delivering.recovered(paths)
        done = delivery.run(*delivery.earlier(version))
        return replace(done, recovered=[*recovered, *done.recovered])


def source(pipeline: str) -> PipelineSource:
    """What the document of a pipeline that runs here is compiled with. Raises :class:`BadInput` where none does."""
    require_root()
    return delivering.live(Paths.from_environment(), pipeline).source


def diff(pipeline: str, compiled: Compiled, progress: Optional[Progress] = None) -> Differing:
    """From what is in the kernel to the document. Raises as :func:`apply` before its first write."""
    require_root()
    live = delivering.live(Paths.from_environment(), pipeline, progress or silent)
    compiled.check(pipeline, live.source.tables, DOCUMENT)
    return Differing(live.tables().differences(compiled.tables), live.source.tables)


def show(pipeline: str, tables: Optional[Sequence[str]] = None, progress: Optional[Progress] = None) -> Shown:
    """The live rows of these tables, or of all. Raises :class:`BadInput` for one that the pipeline has not."""
    require_root()
    paths = Paths.from_environment()
    live = delivering.live(paths, pipeline, progress or silent)
    for name in tables or ():
        if name not in live.source.tables:
            known = ", ".join(live.source.tables) or "none"
            raise BadInput(DOCUMENT, "tables", f"{name!r} is no table of {pipeline}.", f"It has: {known}.")
    wanted = {name: each for name, each in live.source.tables.items() if tables is None or name in tables}
    held = live.tables().held(list(wanted))
    standing = delivering.standing(paths, live, held)
    return Shown(
        pipeline,
        live.source.manifest.config.schema,
        live.generation,
        standing.version,
        standing.digest,
        live.tables().ordered(held),
        wanted,
        standing.drift,
        standing.warnings,
    )


def history(pipeline: str) -> Told:
    """Raises :class:`~.errors.WirespeedError` for a history that cannot be read."""
    paths = Paths.from_environment()
    found = store.history(paths, pipeline)
    kept = [digest for digest in found.documents if store.path(paths, pipeline, digest).exists()]
    return Told(found.version, found.deliveries, kept, delivering.interrupted(paths, pipeline))
