# SPDX-License-Identifier: GPL-3.0-or-later
"""Back to a generation that the NICs carry already, which is how a reload by direct attach is undone: the swaps first.

That generation must not be loaded once more to take over: the NICs would run on with a program that no pin names, and
what it learns would be in maps that nobody finds. Instead the entries are carried back into the maps that it has.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Tuple

from ..errors import WirespeedError
from ..kernel.grace import wait_for_programs
from . import carry
from .carry import Pair
from .links import pinned_links
from .pins import Paths
from .source import PipelineSource
from .succession import hands, maps_of


def carried_already(paths: Paths, pipeline: str, generation: str) -> bool:
    """Whether all NICs of a pipeline carry this generation's own entry, and there is one."""
    runs = {link.runs for link in pinned_links(paths) if link.pipeline == pipeline and link.ifindex}
    return runs == {generation}


def carry_back(paths: Paths, source: PipelineSource, running: str) -> Tuple[str, ...]:
    """From the maps of ``running``, which was published, to those of ``source``, which is about to be.

    May be repeated after a kill. Members that are no sums stay as they were when the NICs were swapped away. Where
    layouts do not allow it the generation goes on with what it knew, and a sentence says so: to go back never fails.
    """
    with ExitStack() as stack:
        live = maps_of(paths, source, running, stack)
        own = maps_of(paths, source, source.generation, stack)
        other = {name: found for name, found in live.items() if name in own and found.info.id != own[name].info.id}
        if not other:
            return ()
        wait_for_programs()
        try:
            for hand in hands(paths, source, running, other):
                if hand.way.carried:
                    carry.finish(source.support.handover, Pair(hand, other[hand.map], own[hand.map]))
        except WirespeedError as error:
            name, generation = source.manifest.name, source.generation
            return (f"Generation {generation} of {name} goes on with what it knew itself: {error.problem}",)
    return ()
