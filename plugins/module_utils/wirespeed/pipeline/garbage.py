# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove what no one needs any more: old generations, half-made ones, sources of neither."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, List, Set

from ..kernel import bpffs
from ..kernel.bpf_prog import BpfProgram
from . import instance, root
from .pins import Paths

KEEP = 2
"""Generations kept besides the published one, for a rollback that only writes the slot."""


def spare(paths: Paths, pipeline: str, keep: int = KEEP) -> List[str]:
    """Generations that neither run nor are among the ``keep`` newest others, newest first."""
    live = instance.published(paths, pipeline)
    return [each for each in newest_first(paths, pipeline) if each != live][keep:]


def newest_first(paths: Paths, pipeline: str) -> List[str]:
    """All that are loaded, by when the kernel loaded them."""
    loaded = {each: _load_time(paths, pipeline, each) for each in paths.generations(pipeline)}
    return sorted(loaded, key=lambda each: loaded[each], reverse=True)


def collect(paths: Paths, keep: int = KEEP) -> List[str]:
    """Returns what was removed, as ``pipeline/generation``. Dead links stay: they are drift to report."""
    if not bpffs.is_bpffs(paths.bpffs):
        return []
    removed: List[str] = []
    for pipeline in paths.pipelines():
        removed += [f"{pipeline}/{name}" for name in instance.sweep(paths, pipeline)]
        if root.discard_former(paths, pipeline):
            removed.append(f"{pipeline}/{paths.former_root(pipeline).name}")
        for generation in spare(paths, pipeline, keep):
            instance.unload(paths, pipeline, generation)
            removed.append(f"{pipeline}/{generation}")
    _collect_files(paths, keep)
    return removed


def _load_time(paths: Paths, pipeline: str, generation: str) -> int:
    """From the kernel, which knows it also when the record is lost."""
    times = [0]
    for pin in bpffs.entries(paths.generation(pipeline, generation) / "progs"):
        with BpfProgram.pinned(str(pin)) as program:
            times.append(program.info.load_time)
    return max(times)


def _collect_files(paths: Paths, keep: int) -> None:
    """Records of what is not loaded go; of each pipeline's sources the newest stay for a next boot."""
    for record in _files(paths.run / "instances"):
        if record.stem not in paths.generations(record.parent.name):
            record.unlink(missing_ok=True)
    sources: Dict[str, List[Path]] = {}
    for path in _files(paths.state / "sources"):
        sources.setdefault(path.parent.name, []).append(path)
    used: Set[str] = set()
    for pipeline, found in sources.items():
        newest = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
        for number, path in enumerate(newest):
            if number <= keep or path.stem in paths.generations(pipeline):
                used |= _objects(path)
            else:
                path.unlink(missing_ok=True)
    for path in (paths.state / "objects").glob("*.bpf.o"):
        if path.name[: -len(".bpf.o")] not in used:
            path.unlink(missing_ok=True)


def _files(directory: Path) -> List[Path]:
    return sorted(directory.glob("*/*.json"))


def _objects(path: Path) -> Set[str]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return {said["object"], *said.get("support", {"root": said.get("root", "")}).values()}
    except (OSError, ValueError, KeyError):
        return set()
