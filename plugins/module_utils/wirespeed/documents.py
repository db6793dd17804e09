# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration that was delivered to a pipeline, told to the plan: it outlives each generation of the code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, List, Mapping, Optional, Tuple

from .bundle import Bundle
from .config import store
from .errors import WirespeedError
from .model.desired import Desired, DesiredDocument, DesiredPipeline
from .model.intent import Intent
from .model.node import Node
from .pipeline import fitting
from .pipeline.pins import Paths
from .pipeline.source import PipelineSource


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
        said = underway.document.after["configured"] if underway and mine else store.history(paths, name).configured
        found[name] = source.made_for(said)
    return replace(bundle, pipelines=found)


def with_documents(
    paths: Paths,
    node: Node,
    intent: Intent,
    desired: Desired,
    sources: Mapping[str, PipelineSource],
    underway: Optional[Underway],
) -> Desired:
    """For the pipelines whose tables the intent does not fill. One that new tables cannot take is refused: the code
    would begin without its rows. Raises :class:`WirespeedError`."""
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
        live = node.instance(wanted.name)
        refused = wanted.refused
        if document is not None and (live is None or live.generation != wanted.generation):
            refused = _why_not(paths, sources[wanted.name], document) or refused
        pipelines.append(replace(wanted, document=document, refused=refused))
    return replace(desired, pipelines=tuple(pipelines))


def _why_not(paths: Paths, source: PipelineSource, document: DesiredDocument) -> Optional[Tuple[str, str]]:
    """Problem and remedy; None where these tables can hold it."""
    try:
        fitting.document(paths, source, document.digest)
    except WirespeedError as error:
        problem = f"The configuration that was delivered does not fit the tables of this code: {error.problem}"
        return problem, error.remedy or "Deliver one that fits both, or give the manifest a migration."
    return None


def fills_tables(asked: Optional[Mapping[str, Any]]) -> bool:
    """Whether an intent's entry, as it is stored, has rows."""
    return bool(asked and asked.get("tables"))
