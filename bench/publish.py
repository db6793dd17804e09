# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes until loaded code runs: a write of the root's slot, an update of the NIC's link, and other tools.

Each way has a NIC of its own, all idle or all with traffic, and exchanges two builds of the scrubber there.
"""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Sequence

from tests.pipelines import OBJECTS, next_scrubber, renamed, scrubber
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.model.nic import XdpMode
from wirespeed.pipeline import attach, instance, root, swap
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

from . import loader
from .cabled import cabled, traffic
from .paired import seconds
from .series import Series, in_turn, row

ROUNDS = 200
PER_SECOND = 10_000
SYSCALL, SLOT, PUBLISH, LINK = "slot write alone", "publish of an entry", "publish of a generation", "bpf_link_update"
IP, LOADER = "ip -force link set xdpdrv", "xdp-loader unload + load"
BEHIND_ROOT, STRAIGHT, BY_IP, BY_LOADER = (f"ws{number}" for number in range(4))
Ways = Dict[str, Callable[[], float]]


def report() -> Iterator[str]:
    sources = scrubber(), next_scrubber()
    for what, per_second in (("idle veth", 0), (f"veth at {PER_SECOND:,} frames/s", PER_SECOND)):
        with cabled(BEHIND_ROOT, STRAIGHT, BY_IP, BY_LOADER) as made, ExitStack() as stack:
            if per_second:
                stack.enter_context(traffic(made, per_second))
            found = made.node.run(_measured, sources, timeout=300.0)
        yield from _rows(f"publish, {what}", found)
    if loader.missing():
        yield f"publish by xdp-loader: not here: {loader.missing()}"


def _rows(what: str, found: Dict[str, Series]) -> Iterator[str]:
    theirs = [found[name] for name in (IP, LOADER) if name in found]
    for name in (SYSCALL, SLOT, PUBLISH, LINK):
        others = theirs if name == LINK else [found[LINK], *theirs]
        yield row(what, found[name], *others)
    for series in theirs:
        yield row(what, series)


def _measured(sources: Sequence[PipelineSource]) -> Dict[str, Series]:
    with ExitStack() as stack:
        return in_turn({**_by_slot(stack, sources), **_by_link(sources), **_by_others(sources)}, ROUNDS)


def _by_slot(stack: ExitStack, sources: Sequence[PipelineSource]) -> Ways:
    """They change the one slot in turn, so each finds what it does not write."""
    paths, name = Paths.from_environment(), sources[0].manifest.name
    for source in sources:
        instance.load(paths, source)
    instance.publish(paths, sources[1])
    attach.attach(paths, name, BEHIND_ROOT, XdpMode.NATIVE)
    entries = [stack.enter_context(BpfProgram.pinned(str(pin))) for pin in _pins(paths, sources)]
    slots = stack.enter_context(BpfMap.pinned(str(paths.slots(name))))
    written, entry, published = itertools.cycle(entries), itertools.cycle(entries[::-1]), itertools.cycle(sources)
    return {
        SYSCALL: lambda: seconds(lambda: slots.update(root.ENTRY_SLOT, next(written).fd.to_bytes(4, "little"))),
        SLOT: lambda: seconds(lambda: root.publish(paths, name, next(entry))),
        PUBLISH: lambda: seconds(lambda: instance.publish(paths, next(published))),
    }


def _by_link(sources: Sequence[PipelineSource]) -> Ways:
    """Without a root; with the look at who holds the hook, as a run does it."""
    paths, name = Paths.from_environment(), "straight"
    direct = [renamed(source, name) for source in sources]
    for source in direct:
        instance.load(paths, source, direct=True)
    instance.publish(paths, direct[0])
    attach.attach(paths, name, STRAIGHT, XdpMode.NATIVE)
    to = itertools.cycle((source.generation, source.manifest.entry) for source in direct[::-1])
    return {LINK: lambda: seconds(lambda: swap.swap(paths, name, STRAIGHT, *next(to)))}


def _by_others(sources: Sequence[PipelineSource]) -> Ways:
    pins = itertools.cycle(_pins(Paths.from_environment(), sources))
    loader.force(BY_IP, next(pins))
    ways: Ways = {IP: lambda: seconds(lambda: loader.force(BY_IP, next(pins)))}
    if not loader.missing():
        program = OBJECTS / "scrubber.bpf.o"
        loader.load(BY_LOADER, program)
        ways[LOADER] = lambda: seconds(lambda: loader.reload(BY_LOADER, program))
    return ways


def _pins(paths: Paths, sources: Sequence[PipelineSource]) -> List[Path]:
    return [paths.program(source.manifest.name, source.generation, source.manifest.entry) for source in sources]
