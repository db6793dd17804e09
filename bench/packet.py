# SPDX-License-Identifier: GPL-3.0-or-later
"""What a packet costs by BPF_PROG_TEST_RUN: an entry by itself (direct attach), behind a root and its slot, and behind
libxdp's dispatcher.

Each figure is the median over the rounds of the least of several runs, and has the kernel's own loop around the program
in it, so the difference counts too. The same code loaded at another place in memory says how much of it is chance.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterator, List

from tests.kernel.frames import frame_v4
from tests.pipelines import OBJECTS, next_scrubber, renamed, scrubber, small
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.pipeline import instance, root
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

from . import dispatcher, loader
from .cabled import cabled
from .series import Series, in_turn, times

ROUNDS, RUNS, REPEAT = 15, 5, 1_000_000
NIC = "ws0"
FRAME = frame_v4("203.0.113.5")  # the scrubber looks for it in its table, and lets it through
EMPTY = 'SEC("xdp") int small(struct xdp_md *ctx) { return XDP_PASS; } char _license[] SEC("license") = "GPL";'
ALONE, AGAIN = "direct", "direct from another load"


@dataclass
class Found:
    """``costs``: by program, then by where it is, in nanoseconds. ``absent``: what could not be measured, and why."""

    costs: Dict[str, Dict[str, Series]] = field(default_factory=dict)
    absent: List[str] = field(default_factory=list)


def report() -> Iterator[str]:
    with cabled(NIC) as made:
        found: Found = made.node.run(_measured)
    for program, places in found.costs.items():
        direct = places.pop(ALONE)
        behind = [_beside(direct, name, cost) for name, cost in places.items()]
        yield f"packet through {program}: direct {direct.median:.1f} ns, {', '.join(behind)}"
    yield from found.absent


def _beside(direct: Series, name: str, cost: Series) -> str:
    return f"{name} {cost.median:.1f} ns ({cost.median - direct.median:+.1f}, {times(cost.ratio(direct), 2)})"


def _measured() -> Found:
    """In rounds over all programs, wherever they are."""
    found = Found()
    with ExitStack() as stack:
        programs = {
            "an empty program": _ours(
                stack, renamed(small(EMPTY), "empty"), renamed(small(EMPTY, version="2"), "empty")
            ),
            "the scrubber": _ours(stack, scrubber(), next_scrubber()),
        }
        if path := dispatcher.packaged():
            stub = stack.enter_context(dispatcher.with_stub(path))
            programs["an empty program"]["a stub in libxdp's dispatcher"] = stub
        why = loader.missing() or loader.load(NIC, OBJECTS / "scrubber.bpf.o")
        if why:
            found.absent.append(f"packet through the scrubber in libxdp's dispatcher: not here: {why}")
        else:
            programs["the scrubber"]["libxdp's dispatcher"] = stack.enter_context(loader.carried(NIC))
        ways = {f"{name} {place}": _least(at) for name, places in programs.items() for place, at in places.items()}
        costs = in_turn(ways, ROUNDS)
    for name, places in programs.items():
        found.costs[name] = {place: costs[f"{name} {place}"] for place in places}
    return found


def _ours(stack: ExitStack, source: PipelineSource, other: PipelineSource) -> Dict[str, BpfProgram]:
    """Of two generations of one code, the first is published."""
    paths, name = Paths.from_environment(), source.manifest.name
    for each in (source, other):
        instance.load(paths, each)
    instance.publish(paths, source)
    pins = [paths.program(name, each.generation, each.manifest.entry) for each in (source, other)]
    entry, again = (stack.enter_context(BpfProgram.pinned(str(pin))) for pin in pins)
    return {ALONE: entry, AGAIN: again, "root and slot": stack.enter_context(root.program(paths, name))}


def _least(program: BpfProgram) -> Callable[[], float]:
    return lambda: min(once(program) for dummy in range(RUNS))


def once(program: BpfProgram, frame: bytes = FRAME, repeat: int = REPEAT) -> float:
    """Nanoseconds of this thread's CPU time for one packet.

    The kernel's own figure is in whole ones, and the clock on the wall has in it that it waits for RCU before and after
    the runs (net/bpf/test_run.c, bpf_prog_test_run_xdp: bpf_prog_change_xdp; Linux 6.12).
    """
    started = time.thread_time_ns()
    program.test_run(frame, repeat)
    return (time.thread_time_ns() - started) / repeat
