# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration that was delivered to a pipeline, told to the plan: it outlives each generation of the code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, List, Mapping, Optional

from .bundle import Bundle
from .config import store
from .model.desired import Desired, DesiredDocument, DesiredPipeline
from .model.intent import Intent
from .pipeline.pins import Paths


@dataclass(frozen=True)
class Underway:
    """A delivery by a generation of its own. ``document`` is kept in the store by now."""

    pipeline: str
    document: DesiredDocument


def made_for(paths: Paths, bundle: Bundle, underway: Optional[Underway]) -> Bundle:
    """With each pipeline as the generation that the last ``program_swap`` made, or the one under way makes: the same
    code is the same generation then."""
    found = {}
    for name, source in bundle.pipelines.items():
        mine = underway is not None and underway.pipeline == name
        digest = underway.document.digest if underway and mine else store.history(paths, name).configured
        found[name] = source.made_for(digest)
    return replace(bundle, pipelines=found)


def with_documents(paths: Paths, intent: Intent, desired: Desired, underway: Optional[Underway]) -> Desired:
    """For the pipelines whose tables the intent does not fill. Raises :class:`WirespeedError`."""
    filled = [each.name for each in intent.pipelines if each.tables]
    pipelines: List[DesiredPipeline] = []
    for wanted in desired.pipelines:
        if underway is not None and underway.pipeline == wanted.name:
            document: Optional[DesiredDocument] = underway.document
        elif wanted.name in filled:
            document = None
        else:
            digest = store.history(paths, wanted.name).digest
            document = DesiredDocument(digest) if digest else None
        pipelines.append(replace(wanted, document=document))
    return replace(desired, pipelines=tuple(pipelines))


def fills_tables(asked: Optional[Mapping[str, Any]]) -> bool:
    """Whether an intent's entry, as it is stored, has rows."""
    return bool(asked and asked.get("tables"))
