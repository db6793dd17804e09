# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that someone else attached and that the intent has us take over: first as they run, then as usual.

The program is pinned like a generation of the pipeline. Where it can sit in a root's slot and the pipeline has none
yet, its NIC is swapped for a root that calls it: what it has learned is then handed over like any generation's.
Where it cannot, the NIC is swapped from it to the pipeline directly, and its maps are given up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, List, Optional, Tuple

from ..model.desired import Desired, DesiredNic
from ..model.nic import ROOT, Nic, XdpAttachment, XdpMode
from ..model.node import InstanceFacts, Node, RootFacts
from ..model.step import Action, Disruption, Step
from .pipelines import shape

SLOT_KINDS = ("xdp", "xdp.frags")


@dataclass(frozen=True)
class Adoption:
    """``node`` is the node as it will be after ``steps``: from there, all is planned as usual."""

    node: Node
    steps: Tuple[Step, ...] = ()
    warnings: Tuple[str, ...] = ()


def generation_of(xdp: XdpAttachment) -> str:
    """The name under which a foreign program is kept: twelve hex digits like any other's."""
    return f"ad{xdp.prog_id & 0xFFFFFFFFFF:010x}"


def adopt(node: Node, desired: Desired) -> Adoption:
    adoption = Adoption(node)
    for wanted in desired.nics:
        nic = node.nics[wanted.nic]
        if nic.xdp is not None and takes_over(nic, wanted):
            adoption = _one(adoption, nic, nic.xdp, wanted)
    return adoption


def takes_over(nic: Nic, wanted: DesiredNic) -> bool:
    """In another mode it would have to be detached first, which is for its owner to do."""
    foreign = nic.xdp is not None and nic.xdp.pipeline is None
    same_mode = nic.xdp is not None and wanted.mode in (None, nic.xdp.mode)
    return wanted.adopt and wanted.pipeline is not None and foreign and same_mode


def _one(adoption: Adoption, nic: Nic, xdp: XdpAttachment, wanted: DesiredNic) -> Adoption:
    pipeline, generation = str(wanted.pipeline), generation_of(xdp)
    node, ours = adoption.node, replace(xdp, pipeline=pipeline, runs=generation)
    by = "netlink" if xdp.link_id is None else f"link {xdp.link_id}"
    before = {"program": xdp.prog_id, "name": xdp.prog_name, "by": by}
    after = {"pipeline": pipeline, "generation": generation}
    why = "someone else attached it, and foreign: adopt"
    steps: List[Step] = [Step(nic.name, Action.ADOPT, "xdp", before, after, why, "intent")]
    instance = InstanceFacts(pipeline, generation, "", xdp.prog_id, False)
    if xdp.fits not in SLOT_KINDS or node.root(pipeline) is not None:
        why_not = xdp.fits if xdp.fits not in SLOT_KINDS else f"pipeline {pipeline} runs already"
        warning = f"{nic.name}: what program {xdp.prog_id} has in its maps is not handed over: {_clause(why_not)}."
        node = _with(node, nic, ours, instance, None)
        return Adoption(node, (*adoption.steps, *steps), (*adoption.warnings, warning))
    root = RootFacts(pipeline, frags=xdp.fits == "xdp.frags")
    said = {**shape(root), "generation": generation}
    steps.append(Step(pipeline, Action.ROOT, "root", {}, said, "calls the adopted program as it is", "intent"))
    steps.append(swap_step(nic, wanted, generation, ROOT, "the root calls the adopted program"))
    node = _with(node, nic, replace(ours, runs=ROOT), replace(instance, published=True), root)
    return Adoption(node, (*adoption.steps, *steps), adoption.warnings)


def _clause(sentence: str) -> str:
    """Of what the kernel answered, for the middle of another sentence."""
    return f"{sentence[:1].lower()}{sentence[1:].rstrip('.')}"


def _with(node: Node, nic: Nic, xdp: XdpAttachment, instance: InstanceFacts, root: Optional[RootFacts]) -> Node:
    nics: Dict[str, Nic] = {**node.nics, nic.name: replace(nic, xdp=xdp)}
    roots = (*node.roots, root) if root else node.roots
    return replace(node, nics=nics, instances=(*node.instances, instance), roots=roots)


def swap_step(nic: Nic, wanted: DesiredNic, present: str, to: str, why: str) -> Step:
    """An exchange on the hook: by the kernel's compare-and-replace, at what the profile says of this driver."""
    rule = wanted.profile.operations.get("swap")
    native = nic.xdp is not None and nic.xdp.mode is XdpMode.NATIVE
    cost = Disruption.NONE
    if native:
        cost = Disruption.BOUNCE if rule is None else rule.attached or rule.bare
    how = "netlink replace" if nic.xdp is not None and nic.xdp.link_id is None else "bpf_link_update"
    note = f" ({rule.note})" if native and rule is not None and rule.note else ""
    why = f"{why}; {how} with the expected program{note}"
    before = {"runs": present, "pipeline": wanted.pipeline}
    return Step(nic.name, Action.SWAP, "xdp", before, {"runs": to, "pipeline": wanted.pipeline}, why, "intent", cost)
