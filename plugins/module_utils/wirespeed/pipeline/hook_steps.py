# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps on what NICs carry: a pipeline's root, its attachment, an exchange on the hook, a program of someone else."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Tuple

from ..kernel import bpf_link
from ..kernel.bpf_prog import BpfProgram
from ..model.nic import XdpMode
from ..model.node import RootFacts
from ..model.step import Action, Step
from . import adopt, attach, history, root, swap
from .origins import Origins
from .two_ways import TwoWays


class HookSteps:
    def __init__(self, origins: Origins) -> None:
        self._origins = origins
        self._paths = origins.paths

    @property
    def ways(self) -> Dict[Action, TwoWays]:
        return {
            Action.ROOT: TwoWays(self._root, self._not_rooted),
            Action.FORMER_ROOT: TwoWays(self._former_root),
            Action.ATTACH: TwoWays(self._attach, self._not_attached),
            Action.DETACH: TwoWays(self._detach, self._not_detached),
            Action.SWAP: TwoWays(self._swap, self._not_swapped),
            Action.ADOPT: TwoWays(self._adopt, self._not_adopted),
            Action.RELEASE: TwoWays(self._release),
        }

    def _root(self, step: Step) -> None:
        generation = step.after["generation"]
        with BpfProgram.pinned(str(self._origins.entry(step.target, generation))) as entry:
            root.replace(self._paths, _rooted(step), self._origins.support(step.target, generation), entry)
        history.note(self._paths, step.target, generation)

    def _former_root(self, step: Step) -> None:
        if step.after:
            root.put_back(self._paths, step.target)
        else:
            root.remove(self._paths, step.target)

    def _not_rooted(self, step: Step) -> str:
        found = root.facts(self._paths, step.target)
        return "" if found is not None and found.like(_rooted(step)) else f"the root is {found}"

    def _attach(self, step: Step) -> None:
        pipeline, mode = _attachment(step.after)
        attach.attach(self._paths, pipeline, step.target, mode)

    def _not_attached(self, step: Step) -> str:
        pipeline, mode = _attachment(step.after)
        return attach.deviation(self._paths, pipeline, step.target, mode)

    def _detach(self, step: Step) -> None:
        pipeline, dummy = _attachment(step.before)
        attach.detach(self._paths, pipeline, step.target)

    def _not_detached(self, step: Step) -> str:
        pipeline, dummy = _attachment(step.before)
        index = attach.ifindex(step.target)
        found = attach.ours_on(self._paths, index, bpf_link.query(index))
        return f"{step.target} still carries {pipeline}" if found and found.pipeline == pipeline else ""

    def _swap(self, step: Step) -> None:
        pipeline, runs = step.after["pipeline"], step.after["runs"]
        swap.swap(self._paths, pipeline, step.target, runs, self._origins.entry_name(pipeline, runs))

    def _not_swapped(self, step: Step) -> str:
        pipeline, runs = step.after["pipeline"], step.after["runs"]
        return swap.deviation(self._paths, pipeline, step.target, runs, self._origins.entry_name(pipeline, runs))

    def _adopt(self, step: Step) -> None:
        pipeline, generation = step.after["pipeline"], step.after["generation"]
        source = self._origins.brought(pipeline)
        names = list(source.maps) if source is not None else []
        adopt.adopt(self._paths, pipeline, step.target, step.before["program"], generation, names)

    def _not_adopted(self, step: Step) -> str:
        return adopt.deviation(self._paths, step.after["pipeline"], step.target, step.after["generation"])

    def _release(self, step: Step) -> None:
        adopt.release(self._paths, step.before["pipeline"], step.target, step.before["generation"])


def _attachment(said: Mapping[str, Any]) -> Tuple[str, XdpMode]:
    return said["pipeline"], XdpMode(said["mode"])


def _rooted(step: Step) -> RootFacts:
    """What the step's new root is."""
    said = step.after
    if said["attach"] == "direct":
        return RootFacts(step.target, direct=True)
    return RootFacts(step.target, frags=said["frags"], empty_slot=said["empty_slot"])
