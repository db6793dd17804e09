# SPDX-License-Identifier: GPL-3.0-or-later
"""One generation of a pipeline in the kernel: loaded and pinned whole, or not there at all."""

from __future__ import annotations

import getpass
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Tuple

from ..config import live
from ..config.tables import Table
from ..errors import Refused, WirespeedError
from ..kernel import bpffs
from ..kernel.bpf_map import BpfMap
from ..kernel.bpf_object import BpfObject
from ..kernel.bpf_prog import BpfProgram
from ..model.node import RootFacts
from . import layout, protocol, records, root
from .links import move, pinned_links
from .map_spec import OnLayoutChange
from .origins import Origins
from .pins import STAGING, Paths
from .records import Record
from .source import RODATA, PipelineSource


def load(paths: Paths, source: PipelineSource, direct: bool = False) -> None:
    """Loads and pins this source's generation beside what runs; a complete one is left as it is.

    Takes over the maps of role state and stats from the published generation. Raises
    :class:`BadInput`, :class:`~wirespeed.kernel.bpf_object.VerifierRejection`, :class:`Refused`
    (a layout that changed) or KernelRefusal, and then leaves no pin of this generation.
    """
    bpffs.require(paths.bpffs)
    manifest, generation = source.manifest, source.generation
    protocol.claim(paths)
    if not direct:
        wanted = RootFacts(manifest.name, 0, False, source.takes_fragments, manifest.empty_slot)
        root.ensure(paths, wanted, source.support)
        with root.program(paths, manifest.name) as program:
            move(paths, manifest.name, program)
    sweep(paths, manifest.name)
    records.store(paths, source)
    final = paths.generation(manifest.name, generation)
    if final.exists():
        if records.read(paths, manifest.name, generation) is None:
            records.write(paths, _record(source, (), ()))
        return
    staging = Path(f"{final}{STAGING}")
    try:
        reused, reset = _load_into(paths, source, staging)
        records.write(paths, _record(source, reused, reset))
        os.rename(staging, final)
    except BaseException:
        bpffs.remove_tree(staging)
        paths.record(manifest.name, generation).unlink(missing_ok=True)
        raise


def _load_into(paths: Paths, source: PipelineSource, staging: Path) -> Tuple[List[str], List[str]]:
    manifest = source.manifest
    with BpfObject(source.object_bytes, manifest.name[:15]) as loaded, ExitStack() as shared:
        loaded.only(manifest.programs)
        loaded.patch_rodata(source.rodata)
        for name, size in source.sizes.items():
            loaded.resize(name, size)
        reusable, reset = _hand_over(paths, source, shared)
        for name, existing in reusable.items():
            loaded.reuse(name, existing)
        loaded.load()
        _pin(loaded, staging)
        return sorted(reusable), reset


def _hand_over(paths: Paths, source: PipelineSource, shared: ExitStack) -> Tuple[Dict[str, BpfMap], List[str]]:
    """The maps to take over, and the names of those that the manifest allows to begin anew."""
    name, reusable, reset = source.manifest.name, {}, []
    current = published(paths, name)
    for map_name, spec in source.manifest.maps.items():
        pin = paths.map(name, current, map_name) if current else None
        if pin is None or not spec.role.handed_over or not pin.exists():
            continue
        existing = shared.enter_context(BpfMap.pinned(str(pin)))
        changed = layout.differences(existing, source.maps[map_name], source.btf)
        if not changed:
            reusable[map_name] = existing
        elif spec.on_layout_change is OnLayoutChange.RESET:
            reset.append(map_name)
        else:
            raise Refused(
                f"Map {map_name} of pipeline {name} holds what generation {current} learned, and its layout differs in "
                f"the new object: {'; '.join(changed)}.",
                f"Keep the layout, or allow it to begin empty: maps.{map_name}.on_layout_change: reset.",
            )
    return reusable, reset


def _pin(loaded: BpfObject, staging: Path) -> None:
    for kind in ("progs", "maps"):
        bpffs.make_directory(staging / kind)
    for name, program in loaded.programs():
        with program:
            program.pin(str(staging / "progs" / bpffs.encode(name)))
    for name, found in loaded.maps():
        with found:
            # libbpf prefixes its own maps with the object's name.
            plain = RODATA if name.endswith(RODATA) else name
            found.pin(str(staging / "maps" / bpffs.encode(plain)))


def _record(source: PipelineSource, reused: "List[str] | Tuple[()]", reset: "List[str] | Tuple[()]") -> Record:
    return Record(
        pipeline=source.manifest.name,
        generation=source.generation,
        digest=source.digest,
        version=source.manifest.version,
        loaded_at=time.time(),
        loaded_by=os.environ.get("SUDO_USER") or getpass.getuser(),
        reused=tuple(reused),
        reset=tuple(reset),
        manifest=source.manifest.to_json(),
    )


def unload(paths: Paths, pipeline: str, generation: str) -> None:
    """Removes a generation, and with the last one the root. Not loaded is no error.

    Raises :class:`Refused` while it is published: its program would run on, known to nobody.
    """
    if published(paths, pipeline) == generation:
        raise Refused(
            f"Generation {generation} of pipeline {pipeline} is the one that runs.", "Publish another, or none, first."
        )
    sweep(paths, pipeline)
    # Renamed first, so that a crash in between leaves something that is known to be incomplete.
    final = paths.generation(pipeline, generation)
    if final.exists():
        staging = Path(f"{final}{STAGING}")
        os.rename(final, staging)
        bpffs.remove_tree(staging)
    paths.record(pipeline, generation).unlink(missing_ok=True)
    carried = any(link.pipeline == pipeline and link.ifindex for link in pinned_links(paths))
    if not paths.generations(pipeline) and not carried:
        root.remove(paths, pipeline)
        protocol.leave(paths)


def sweep(paths: Paths, pipeline: str) -> List[str]:
    """Removes what a killed load or unload of this pipeline left; returns the names."""
    left = [path for path in bpffs.entries(paths.pipeline(pipeline)) if path.name.endswith(STAGING)]
    half_root = Path(f"{paths.pipeline(pipeline)}{STAGING}")
    left += [half_root] if half_root.exists() else []
    for path in left:
        bpffs.remove_tree(path)
    return [path.name for path in left]


def published(paths: Paths, pipeline: str) -> Optional[str]:
    """The generation whose program is in the root's slot; None when it is empty or of none of ours."""
    running = root.published(paths, pipeline)
    if running is None:
        return None
    for generation in paths.generations(pipeline):
        if running in program_ids(paths, pipeline, generation).values():
            return generation
    return None


def program_ids(paths: Paths, pipeline: str, generation: str) -> Dict[str, int]:
    found = {}
    for pin in bpffs.entries(paths.generation(pipeline, generation) / "progs"):
        with BpfProgram.pinned(str(pin)) as program:
            found[bpffs.decode(pin.name)] = program.info.id
    return found


def publish(paths: Paths, origins: Origins, pipeline: str, generation: str) -> None:
    pin = origins.entry(pipeline, generation)
    if not pin.exists():
        raise WirespeedError(f"Generation {generation} of pipeline {pipeline} is not loaded.", "Load it first.")
    with BpfProgram.pinned(str(pin)) as entry:
        root.publish(paths, pipeline, entry)


def open_map(paths: Paths, pipeline: str, generation: str, name: str) -> BpfMap:
    """A map of a loaded generation. Raises KernelRefusal (ENOENT)."""
    return BpfMap.pinned(str(paths.map(pipeline, generation, name)))


def rows(paths: Paths, pipeline: str, generation: str, tables: Mapping[str, Table]) -> Dict[str, Tuple[str, ...]]:
    """The live rows of each table."""
    found = {}
    for name, table in tables.items():
        with open_map(paths, pipeline, generation, name) as bpf_map:
            found[name] = live.read(bpf_map, table)
    return found
