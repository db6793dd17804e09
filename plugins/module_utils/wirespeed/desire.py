# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolve an intent against what was observed: profiles for each NIC, code and rows for each pipeline."""

from __future__ import annotations

from .bundle import Bundle
from .config.tables import canonical
from .errors import BadInput, Place
from .model.desired import Desired, DesiredNic, DesiredPipeline
from .model.intent import Intent, PipelineIntent
from .model.node import Node
from .profiles.resolve import resolve
from .selection import select


def desire(intent: Intent, bundle: Bundle, node: Node, place: Place) -> Desired:
    """Raises :class:`BadInput` for what the node, the profiles or the manifests do not know."""
    nics = tuple(
        DesiredNic(
            nic=nic.name,
            profile=resolve(bundle.profiles, nic, node, wanted),
            pipeline=wanted.pipeline,
            mode=wanted.mode,
            max_disruption=wanted.max_disruption,
        )
        for nic, wanted in select(intent, node.nics, place)
    )
    return Desired(nics, tuple(_pipeline(wanted, bundle, node, place) for wanted in intent.pipelines))


def _pipeline(wanted: PipelineIntent, bundle: Bundle, node: Node, place: Place) -> DesiredPipeline:
    source = bundle.pipelines.get(wanted.name)
    if source is None:
        raise BadInput(
            place,
            "pipelines.name",
            f"{wanted.name!r} did not come with the bundle, which has: {', '.join(bundle.pipelines) or 'none'}.",
            "The name must be the one in the pipeline's manifest.",
        )
    return DesiredPipeline(
        name=wanted.name,
        generation=source.generation,
        digest=source.digest,
        tables=canonical(source.tables, wanted.tables, place),
        origin=f"{wanted.name} {source.manifest.version}",
    )
