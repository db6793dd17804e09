# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trace costs a packet, off and on, by BPF_PROG_TEST_RUN; and how many packets a second its reader writes."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

from tests.pipelines import BPF, scrubber
from wirespeed.errors import Place
from wirespeed.gather import built_in_tracers
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.pipeline import instance, traced
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource
from wirespeed.trace import pcapng
from wirespeed.trace.options import Options
from wirespeed.trace.record import record
from wirespeed.trace.tracer import Tracer, choice
from wirespeed.trace.words import Commentator

from .cabled import cabled
from .packet import FRAME
from .series import Series, in_turn, times

ROUNDS, RUNS, MANY, FEW = 11, 3, 500_000, 20_000
SNAPLEN = 96
WITHOUT = """
#include <wirespeed.h>
#define ws_note_owner(customer, policy)
#define ws_note_dry_run(verdict)
#define ws_traced(ctx, verdict, action) (action)
"""
NEVER, OFF = "the header left out", "off"
FILTER = "ip6 or tcp port 443 and net 203.0.113.0/24"
TRACES: Dict[str, Dict[str, Any]] = {
    "another verdict asked for": {"verdicts": ["tx"]},
    f"'{FILTER}'": {"filter": FILTER},
    "one of 1000": {"sample": 1000},
    "every packet written": {},
}


def report() -> Iterator[str]:
    with cabled("ws0") as made:
        costs, records = made.node.run(_measured, timeout=600.0)
    off = costs[OFF]
    for name, series in costs.items():
        beside = "" if series is off else f" ({series.median - off.median:+.1f}, {times(series.ratio(off), 2)} of off)"
        yield f"trace, a packet through the scrubber: {name} {series.median:.1f} ns{beside}"
    yield f"trace, packets of {SNAPLEN} bytes that its reader writes: {records.median / 1e3:.0f} thousand a second"


def _measured() -> Tuple[Dict[str, Series], Series]:
    paths, source = Paths.from_environment(), scrubber()
    with ExitStack() as stack:
        ways: Dict[str, Callable[[], float]] = {
            NEVER: _least(_loaded(stack, paths, _without()), MANY),
            OFF: _least(_loaded(stack, paths, source), MANY),
        }
        instance.publish(paths, source)
        tracers: List[Tracer] = []
        for name, asked in {"notes alone": None, **TRACES}.items():
            tracer, program = _traced(stack, paths, source, asked)
            ways[name] = _least(program, FEW if asked == {} else MANY, tracer)
            tracers.append(tracer)
        costs = in_turn(ways, ROUNDS)
        reading = in_turn({"reading": lambda: _read(program, tracers[-1], source)}, ROUNDS)
        return costs, reading["reading"]


def _loaded(stack: ExitStack, paths: Paths, source: PipelineSource) -> BpfProgram:
    instance.load(paths, source)
    pin = paths.program(source.manifest.name, source.generation, source.manifest.entry)
    return stack.enter_context(BpfProgram.pinned(str(pin)))


def _traced(stack: ExitStack, paths: Paths, source: PipelineSource, asked: Any) -> Tuple[Tracer, BpfProgram]:
    """A tracer and the scrubber that jumps to it; to none where nothing is asked."""
    options = Options("ws0", snaplen=SNAPLEN, rate=0, **(asked or {}))
    names = [verdict.name for verdict in source.manifest.verdicts]
    tracer = Tracer(built_in_tracers()["trace"], "trace", choice(options, 0, names, Place("bench")), options)
    stack.callback(tracer.close)
    called, slot = stack.enter_context(tracer.load()), tracer.slot()
    if asked is not None:
        slot.update(b"\0\0\0\0", called.fd.to_bytes(4, "little"))
    generation = traced.put(paths, source.manifest.name, traced.lend(tracer.notes, slot))
    pin = paths.traced(source.manifest.name, generation) / "progs" / source.manifest.entry
    return tracer, stack.enter_context(BpfProgram.pinned(str(pin)))


def _without() -> PipelineSource:
    """The scrubber as it would be if there were no traces."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cp", "-r", str(BPF), folder], check=True)
        Path(folder, "bpf/include/wirespeed_trace.h").write_text(WITHOUT)
        built = Path(folder, "scrubber.bpf.o")
        subprocess.run(["make", "-s", "-C", f"{folder}/bpf", f"OBJECTS={folder}", str(built)], check=True)
        return replace(scrubber(), object_bytes=built.read_bytes(), loaded_as="")


def _least(program: BpfProgram, packets: int, tracer: "Tracer | None" = None) -> Callable[[], float]:
    """Nanoseconds of this thread's CPU time for one packet; the ring is emptied before each run."""

    def once() -> float:
        while tracer is not None and tracer.take(packets):
            pass
        started = time.thread_time_ns()
        program.test_run(FRAME, packets)
        return (time.thread_time_ns() - started) / packets

    return lambda: min(once() for dummy in range(RUNS))


def _read(program: BpfProgram, tracer: Tracer, source: PipelineSource) -> float:
    """Packets a second, from the ring to a file that takes everything."""
    words = Commentator.of(source.manifest)
    while tracer.take(FEW):
        pass
    program.test_run(FRAME, FEW)
    started = time.perf_counter()
    taken = tracer.take(FEW)
    blocks = []
    for raw in taken:
        found = record(raw)
        comment = words.comment(found.note)
        packet = pcapng.Packet(
            found.at, found.data, found.length, comment, found.lost, found.id, found.queue, found.note.action
        )
        blocks.append(pcapng.packet(packet))
    with open(os.devnull, "wb") as file:
        file.write(b"".join(blocks))
    return len(taken) / (time.perf_counter() - started)
