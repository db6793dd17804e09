# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolve an intent against what was observed: profiles for each NIC, code and rows for each pipeline."""

from __future__ import annotations

from typing import Dict, Sequence, Tuple

from .bundle import Bundle
from .config.tables import canonical
from .errors import BadInput, Place
from .model.desired import Desired, DesiredNic, DesiredPipeline, OperationRule
from .model.intent import Attach, Foreign, Intent, NicIntent, PipelineIntent
from .model.nic import XdpMode
from .model.node import Node, RootFacts
from .model.settings import Setting
from .model.step import Disruption
from .nic.table import ON_DEMAND
from .pipeline import sizes
from .pipeline.source import PipelineSource
from .profiles.asked import keys_asked
from .profiles.resolve import resolve
from .redirect import select_with_targets
from .selection import select

_UNSTATED = OperationRule(Disruption.BOUNCE, Disruption.BOUNCE)


def desire(intent: Intent, bundle: Bundle, node: Node, place: Place) -> Desired:
    """Raises :class:`BadInput` for what the node, the profiles or the manifests do not know."""
    selected = select_with_targets(intent, node, bundle.profiles, place)
    nics = tuple(
        DesiredNic(
            nic=nic.name,
            profile=resolve(bundle.profiles, nic, node, wanted, _frags(bundle, wanted)),
            pipeline=wanted.pipeline,
            mode=wanted.mode,
            max_disruption=wanted.max_disruption,
            redirect_to=wanted.redirect_to,
            frags=_frags(bundle, wanted),
            named=any(wanted.wanted == each.wanted for each in intent.nics),
            adopt=wanted.foreign is Foreign.ADOPT,
        )
        for nic, wanted in selected
    )
    used = [nic.pipeline for nic in nics]
    found = sources(intent, bundle, place, node)
    pipelines = tuple(
        _pipeline(wanted, found[wanted.name], [nic for nic in nics if nic.pipeline == wanted.name], place)
        for wanted in intent.pipelines
        if wanted.name in used or not wanted.implied
    )
    return Desired(nics, pipelines)


def _pipeline(
    wanted: PipelineIntent, source: PipelineSource, nics: Sequence[DesiredNic], place: Place
) -> DesiredPipeline:
    direct, why = attachment(wanted.attach, nics)
    manifest, health = source.manifest, source.manifest.health
    return DesiredPipeline(
        name=wanted.name,
        generation=source.generation,
        digest=source.digest,
        tables=canonical(source.tables, wanted.tables, place),
        origin=f"{wanted.name} {manifest.version}",
        root=RootFacts(wanted.name, 0, direct, source.takes_fragments, manifest.empty_slot),
        why_root=why,
        fixtures=0 if wanted.unwatched else len(manifest.tried),
        watch=0.0 if wanted.unwatched or health is None else health.window,
    )


def attachment(attach: Attach, nics: Sequence[DesiredNic]) -> Tuple[bool, str]:
    """Whether the NICs carry the published entry itself, and why, where that is not the usual thing."""
    costly = {
        nic.nic: rule.attached or rule.bare
        for nic in nics
        for rule in [nic.profile.operations.get("swap", _UNSTATED)]
        if nic.mode is not XdpMode.GENERIC and (rule.attached or rule.bare) is not Disruption.NONE
    }
    if attach is Attach.ROOT:
        return False, ""
    if attach is Attach.DIRECT:
        return True, "attach: direct, so each NIC is swapped on its own hook"
    if costly:
        told = ", ".join(f"{name} {cost}" for name, cost in costly.items())
        return False, f"attach: auto, and a swap on the hook costs {told}, so by the root's slot"
    return True, "attach: auto, and a swap on the hook costs no NIC of this pipeline anything, so without a root"


def asked(intent: Intent, bundle: Bundle, node: Node, place: Place) -> Dict[str, Dict[Setting, Tuple[str, ...]]]:
    """By NIC: the settings that are read only on demand, and the keys that the intent or a profile names."""
    return {
        nic.name: keys_asked(bundle.profiles, nic, node, wanted, list(ON_DEMAND))
        for nic, wanted in select_with_targets(intent, node, bundle.profiles, place)
    }


def _frags(bundle: Bundle, wanted: NicIntent) -> bool:
    source = bundle.pipelines.get(wanted.pipeline or "")
    return source is not None and source.takes_fragments


def sources(intent: Intent, bundle: Bundle, place: Place, node: Node) -> Dict[str, PipelineSource]:
    """The intent's pipelines as they will be loaded: with the intent's constants over the manifest's, sized for the
    node."""
    found = {}
    for wanted in intent.pipelines:
        source = bundle.pipelines.get(wanted.name)
        if source is None:
            raise BadInput(
                place,
                "pipelines.name",
                f"{wanted.name!r} did not come with the bundle, which has: {', '.join(bundle.pipelines) or 'none'}.",
                "The name must be the one in the pipeline's manifest.",
            )
        nics = [nic for nic, each in select(intent, node.nics, place) if each.pipeline == wanted.name]
        found[wanted.name] = source.with_constants(wanted.constants).on(sizes.names(node, len(nics)))
    return found
