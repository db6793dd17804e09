# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a node: pipelines first, then one NIC after the other."""

from __future__ import annotations

from typing import List, Mapping, Sequence, Set

from ..model.claim import Conflict
from ..model.desired import Desired, DesiredNic
from ..model.nic import ROOT
from ..model.node import Node
from ..model.settings import Setting
from ..model.step import Plan, Refusal, Step
from . import anew, permanent, redirect, stack
from .adopt import adopt
from .changes import Settle, compare
from .claims import conflicts
from .guard import foreign_in_the_way, too_disruptive, unmet_at_detach, unmet_constraints
from .hook import decide
from .host import disagreements, set_once
from .pipelines import PipelinePlan, plan_pipeline
from .sequence import sequence


def plan(node: Node, desired: Desired, settle: Mapping[Setting, Settle], earlier: Sequence[Step] = ()) -> Plan:
    """Pure: the same arguments give the same plan. ``earlier`` are the steps that the run has taken already.

    Planning a node that is as desired gives no steps. A pipeline is loaded, filled and published
    before a NIC is attached to it, so the first packet through the root meets the whole code.
    """
    refusals: List[Refusal] = []
    warnings: List[str] = list(node.notes)
    contested: List[Conflict] = []
    of_the_host: Set[str] = set()
    adoption = adopt(node, desired)
    node, steps = adoption.node, [*adoption.steps]
    warnings += adoption.warnings
    pipelines = {pipeline.name: plan_pipeline(node, pipeline) for pipeline in desired.pipelines}
    runs = {pipeline.name: pipeline.runs for pipeline in desired.pipelines}
    for planned in pipelines.values():
        steps += planned.steps
    for wanted in redirect.targets_first(desired):
        part = plan_nic(node, wanted, settle, runs.get(wanted.pipeline or "", ROOT), _new_root(pipelines, wanted))
        own = set_once(part.steps, of_the_host)
        steps += [*stack.waits(node, [*earlier, *steps], own), *own]
        refusals += part.refusals
        warnings += part.warnings
        contested += part.conflicts
        refusals += too_disruptive(wanted, [step for step in adoption.steps if step.target == wanted.nic])
    for planned in pipelines.values():
        steps += planned.late
    for pipeline in desired.pipelines:
        warnings += [f"{pipeline.name}: {lost}" for lost in pipeline.lost]
        refusals += [Refusal(pipeline.name, "state", *pipeline.refused)] if pipeline.refused else []
    refusals += [*disagreements(desired.nics), *redirect.refusals(node, desired)]
    warnings += redirect.warnings(desired)
    return Plan(tuple(steps), tuple(refusals), tuple(dict.fromkeys(warnings)), tuple(contested))


def _new_root(pipelines: Mapping[str, PipelinePlan], wanted: DesiredNic) -> bool:
    return wanted.pipeline is not None and pipelines.get(wanted.pipeline, PipelinePlan()).new_root


def plan_nic(
    node: Node, desired: DesiredNic, settle: Mapping[Setting, Settle], runs: str = ROOT, new_root: bool = False
) -> Plan:
    """``runs`` and ``new_root`` are as in :func:`~.hook.decide`."""
    nic = node.nics[desired.nic]
    comparison = compare(nic, desired.profile, settle)
    hook = decide(nic, desired, runs, new_root)
    steps = sequence(nic, desired.profile, comparison, hook)
    refusals = [
        *comparison.refusals,
        *hook.refusals,
        *foreign_in_the_way(nic, desired, comparison),
        *unmet_constraints(node, nic, desired, comparison, hook),
        *unmet_at_detach(node, nic, desired, steps),
        *too_disruptive(desired, steps),
        *anew.refusals(nic, comparison),
        *stack.refusals(node, nic, desired, hook, steps),
    ]
    about_host = [f"{node.hostname}: {finding}" for finding in desired.profile.host_findings]
    findings = [f"{nic.name}: {finding}" for finding in desired.profile.findings]
    if not nic.up:
        findings.append(f"{nic.name}: the interface is down, so it receives nothing until it is set up.")
    told = [*anew.warnings(nic, comparison), *permanent.warnings(nic, comparison), *stack.warnings(node, nic, steps)]
    contested = conflicts(nic, comparison)
    warnings = (*about_host, *hook.warnings, *findings, *told, *map(str, contested))
    return Plan(steps, tuple(refusals), warnings, contested)
