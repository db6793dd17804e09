# SPDX-License-Identifier: GPL-3.0-or-later
"""The generation that runs, once more with its notes on: put into the slot for the time of a trace, and taken out.

It shares every map with the generation and is pinned below it, so that whoever asks what runs is told the generation,
and a reload takes over from it as ever. Who traces holds a lock on a file; where nobody does, whatever is pinned was
left by a killed trace.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Dict, Iterator, Mapping, Optional, Tuple

from ..errors import Busy, Refused, WirespeedError
from ..kernel import bpffs
from ..kernel.bpf_map import BpfMap
from ..kernel.bpf_prog import BpfProgram
from . import records, root, stages
from .loading import TRACER, kept, load_into
from .pins import STAGING, Paths
from .running import published
from .source import PipelineSource
from .succession import finish

NOTES = "ws_notes"
"""Per CPU what became of the last packet (bpf/include/wirespeed_trace.h)."""


@contextmanager
def claimed(paths: Paths, pipeline: str) -> Iterator[None]:
    """For as long as a trace of this pipeline lasts. Raises :class:`Busy` while there is another one."""
    claim = _claim(paths, pipeline)
    if claim is None:
        raise Busy(f"Pipeline {pipeline} is being traced already.", "Wait until that trace has ended, or end it.")
    try:
        yield
    finally:
        os.close(claim)


def _claim(paths: Paths, pipeline: str) -> Optional[int]:
    """A locked descriptor; None while another process has it. The kernel lets go however a process ends."""
    path = paths.run / "traces" / pipeline
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    claim = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(claim)
        return None
    return claim


def source(paths: Paths, pipeline: str) -> PipelineSource:
    """Of the generation that runs. Raises :class:`Refused` where it cannot be loaded with its notes on."""
    generation = published(paths, pipeline)
    if generation is None:
        raise Refused(f"Pipeline {pipeline} has no published generation.", "Run the playbook: it publishes one.")
    found = records.stored(paths, pipeline, generation)
    if not found.traceable:
        raise Refused(
            f"Generation {generation} of pipeline {pipeline} leaves no notes for a tracer.",
            "Build it with #include <wirespeed_trace.h> (docs/trace.md), or trace by fexit with --no-swap.",
        )
    present = root.facts(paths, pipeline)
    if present is None or present.direct:
        raise Refused(
            f"Pipeline {pipeline} is attached directly, so its program cannot be exchanged without a swap on each NIC.",
            "Attach it by its root (attach: root), or trace by fexit with --no-swap.",
        )
    return found


def put(paths: Paths, pipeline: str, lent: Mapping[str, BpfMap]) -> str:
    """Publishes the generation that runs with its notes on, in the maps that are ``lent``; returns its name.

    For who holds the node's lock. Raises :class:`Refused` or the errors of loading, and then nothing was changed.
    """
    finish(paths, pipeline)
    take_back(paths, pipeline)
    wanted = source(paths, pipeline).tracing()
    home = paths.generation(pipeline, wanted.generation)
    staging = Path(f"{home}{STAGING}")
    bpffs.remove_tree(staging)
    try:
        with ExitStack() as stack:
            own = {**kept(home / "maps", (), stack), **lent}
            load_into(wanted, staging, (), {}, own)
        os.rename(staging, paths.traced(pipeline, wanted.generation))
    except BaseException:
        bpffs.remove_tree(staging)
        raise
    _publish(paths, pipeline, paths.traced(pipeline, wanted.generation), wanted.manifest.entry)
    return wanted.generation


def take_back(paths: Paths, pipeline: str) -> bool:
    """The inverse of :func:`put`, also of half of it; whether there was anything to take back.

    For who holds the node's lock.
    """
    found = False
    for generation in paths.generations(pipeline):
        traced = paths.traced(pipeline, generation)
        if not traced.exists():
            continue
        found = True
        if root.published(paths, pipeline) in stages.ids(traced / "progs").values():
            _publish(paths, pipeline, paths.generation(pipeline, generation), _entry(paths, pipeline, generation))
        bpffs.remove_tree(traced)
    return found


def end_abandoned(paths: Paths) -> Tuple[str, ...]:
    """Takes back what killed traces left; a sentence for each. For who holds the node's lock."""
    told = []
    for pipeline in paths.pipelines() if bpffs.is_bpffs(paths.bpffs) else ():
        if not any(paths.traced(pipeline, each).exists() for each in paths.generations(pipeline)):
            continue
        claim = _claim(paths, pipeline)
        if claim is None:
            continue
        try:
            take_back(paths, pipeline)
        finally:
            os.close(claim)
        told.append(f"{pipeline}: the notes of a trace that was killed are off again")
    return tuple(told)


def in_slot(paths: Paths, pipeline: str) -> bool:
    """Whether what runs is what :func:`put` has published."""
    running = root.published(paths, pipeline)
    homes = (paths.traced(pipeline, each) for each in paths.generations(pipeline))
    return running is not None and any(running in stages.ids(home / "progs").values() for home in homes)


def lend(notes: BpfMap, slot: BpfMap) -> Dict[str, BpfMap]:
    """A tracer's own maps under the names that the SDK's header gives them."""
    return {NOTES: notes, TRACER: slot}


def _entry(paths: Paths, pipeline: str, generation: str) -> str:
    record = records.read(paths, pipeline, generation)
    if record is None:
        return records.stored(paths, pipeline, generation).manifest.entry
    return str(record.manifest["entry"])


def _publish(paths: Paths, pipeline: str, home: Path, entry: str) -> None:
    pin = home / "progs" / bpffs.encode(entry)
    if not pin.exists():
        raise WirespeedError(f"{pin} is gone, so it cannot be published.", "Run the playbook: it loads it anew.")
    with BpfProgram.pinned(str(pin)) as program:
        root.publish(paths, pipeline, program)
