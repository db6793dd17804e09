# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of ours on a node, pipelines one by one, and what belongs to none: for people and for reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from ..errors import WirespeedError
from ..kernel import bpffs
from . import attach, garbage, history, instance, protocol, records, root
from .links import PinnedLink, pinned_links
from .pins import FORMER, LINKS, STAGING, Paths


@dataclass(frozen=True)
class GenerationOverview:
    """``pending`` names the maps whose entries are not all handed over yet; ``in_store``: it can be loaded again."""

    generation: str
    published: bool
    previous: bool
    version: str
    digest: str
    loaded_at: float
    loaded_by: str
    adopted: bool
    pending: Tuple[str, ...]
    maps: Tuple[str, ...]
    in_store: bool


@dataclass(frozen=True)
class Carrier:
    """A NIC of the pipeline. ``runs`` is as in :class:`~..model.nic.XdpAttachment`; ``dead``: its link is."""

    name: str
    runs: str
    dead: bool = False


@dataclass(frozen=True)
class PipelineOverview:
    """``attach`` is ``root`` or ``direct``, empty when its root is lost."""

    name: str
    attach: str
    nics: Tuple[Carrier, ...]
    generations: Tuple[GenerationOverview, ...]


@dataclass(frozen=True)
class Overview:
    """``orphans`` are sentences about pins that belong to nothing."""

    pipelines: Tuple[PipelineOverview, ...] = ()
    orphans: Tuple[str, ...] = ()
    protocol: Optional[int] = None
    links: Tuple[PinnedLink, ...] = field(default=(), repr=False)


def overview(paths: Paths) -> Overview:
    """Changes nothing. Raises :class:`~..errors.Refused` for pins of a newer protocol."""
    if not bpffs.is_bpffs(paths.bpffs):
        return Overview()
    protocol.check(paths)
    links = pinned_links(paths)
    pipelines = tuple(_pipeline(paths, name, links) for name in paths.pipelines())
    return Overview(pipelines, tuple(_orphans(paths, links)), protocol.present(paths), links)


def previous(paths: Paths, pipeline: str) -> Optional[str]:
    """Where a rollback without a name goes."""
    live = instance.published(paths, pipeline)
    return history.previous(history.read(paths, pipeline), live, garbage.newest_first(paths, pipeline))


def carriers(paths: Paths, links: Tuple[PinnedLink, ...]) -> Dict[str, Tuple[Carrier, ...]]:
    """By pipeline; those whose link is dead too."""
    found: Dict[str, Tuple[Carrier, ...]] = {}
    for link in links:
        carrier = Carrier(link.ifname, link.runs, not link.ifindex)
        found[link.pipeline] = (*found.get(link.pipeline, ()), carrier)
    for held in attach.held_over_netlink(paths):
        found[held.pipeline] = (*found.get(held.pipeline, ()), Carrier(held.nic, held.runs))
    return found


def _pipeline(paths: Paths, name: str, links: Tuple[PinnedLink, ...]) -> PipelineOverview:
    present = root.facts(paths, name)
    how = "" if present is None else "direct" if present.direct else "root"
    nics = carriers(paths, links).get(name, ())
    live, before = instance.published(paths, name), previous(paths, name)
    found = garbage.newest_first(paths, name)
    return PipelineOverview(name, how, nics, tuple(_generation(paths, name, each, live, before) for each in found))


def _generation(
    paths: Paths, pipeline: str, generation: str, live: Optional[str], before: Optional[str]
) -> GenerationOverview:
    record = records.read(paths, pipeline, generation)
    home = paths.generation(pipeline, generation)
    return GenerationOverview(
        generation=generation,
        published=generation == live,
        previous=generation == before,
        version=record.version if record else "",
        digest=record.digest if record else "",
        loaded_at=record.loaded_at if record else 0.0,
        loaded_by=record.loaded_by if record else "",
        adopted=record is not None and record.version == records.ADOPTED,
        pending=_names(home / "old"),
        maps=_names(home / "maps"),
        in_store=_stored(paths, pipeline, generation),
    )


def _names(folder: Path) -> Tuple[str, ...]:
    return tuple(bpffs.decode(pin.name) for pin in bpffs.entries(folder))


def _stored(paths: Paths, pipeline: str, generation: str) -> bool:
    try:
        records.stored(paths, pipeline, generation)
    except WirespeedError:
        return False
    return True


def _orphans(paths: Paths, links: Tuple[PinnedLink, ...]) -> List[str]:
    found: List[str] = []
    known: Dict[str, None] = dict.fromkeys(paths.pipelines())
    for entry in bpffs.entries(paths.base):
        if entry.name.endswith(STAGING):
            found.append(f"{entry} was never completed: 'pipeline gc' removes it.")
    for pipeline in known:
        for entry in bpffs.entries(paths.pipeline(pipeline)):
            if entry.name.endswith((STAGING, FORMER)):
                found.append(f"{entry} is left of a change that was not completed: 'pipeline gc' removes it.")
    for link in links:
        if not link.ifindex:
            found.append(f"{link.pin} is a dead link of pipeline {link.pipeline or '?'}: the next run attaches anew.")
        elif link.pipeline not in known:
            found.append(
                f"{link.pin} holds {link.ifname} for {link.pipeline or 'no pipeline'}, which is not in {LINKS}."
            )
    return found
