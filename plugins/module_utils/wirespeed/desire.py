# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolve an intent against what was observed: profiles for each NIC, code and rows for each pipeline."""

from __future__ import annotations

from typing import Dict, Tuple

from .bundle import Bundle
from .config.tables import canonical
from .errors import BadInput, Place
from .model.desired import Desired, DesiredNic, DesiredPipeline
from .model.intent import Intent, NicIntent
from .model.node import Node
from .model.settings import Setting
from .nic.table import ON_DEMAND
from .pipeline.source import PipelineSource
from .profiles.asked import keys_asked
from .profiles.resolve import resolve
from .redirect import select_with_targets


def desire(intent: Intent, bundle: Bundle, node: Node, place: Place) -> Desired:
    """Raises :class:`BadInput` for what the node, the profiles or the manifests do not know."""
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
        )
        for nic, wanted in select_with_targets(intent, node, bundle.profiles, place)
    )
    used = [nic.pipeline for nic in nics]
    found = sources(intent, bundle, place)
    pipelines = tuple(
        DesiredPipeline(
            name=wanted.name,
            generation=found[wanted.name].generation,
            digest=found[wanted.name].digest,
            tables=canonical(found[wanted.name].tables, wanted.tables, place),
            origin=f"{wanted.name} {found[wanted.name].manifest.version}",
        )
        for wanted in intent.pipelines
        if wanted.name in used or not wanted.implied
    )
    return Desired(nics, pipelines)


def asked(intent: Intent, bundle: Bundle, node: Node, place: Place) -> Dict[str, Dict[Setting, Tuple[str, ...]]]:
    """By NIC: the settings that are read only on demand, and the keys that the intent or a profile names."""
    return {
        nic.name: keys_asked(bundle.profiles, nic, node, wanted, list(ON_DEMAND))
        for nic, wanted in select_with_targets(intent, node, bundle.profiles, place)
    }


def _frags(bundle: Bundle, wanted: NicIntent) -> bool:
    source = bundle.pipelines.get(wanted.pipeline or "")
    return source is not None and source.takes_fragments


def sources(intent: Intent, bundle: Bundle, place: Place) -> Dict[str, PipelineSource]:
    """The intent's pipelines as they will be loaded, with the intent's constants over the manifest's."""
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
        found[wanted.name] = source.with_constants(wanted.constants)
    return found
