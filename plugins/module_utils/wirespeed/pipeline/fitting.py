# SPDX-License-Identifier: GPL-3.0-or-later
"""A delivered document as the tables of a generation take it: as it was compiled, or converted to their layout."""

from __future__ import annotations

from typing import Mapping, Optional

from ..config import carry_over, store
from ..config.compiled import Compiled, layout_of
from ..config.tables import Table
from ..errors import BadInput, Place, WirespeedError
from . import records
from .pins import Paths
from .source import PipelineSource


def known(paths: Paths, source: PipelineSource, digest: str) -> Optional[Compiled]:
    """None where it is not kept in this layout."""
    pipeline, layout = source.manifest.name, layout_of(source.tables)
    other = store.history(paths, pipeline).converted_to(digest, layout)
    for each in (digest, other):
        if each and store.path(paths, pipeline, each).exists():
            found = store.document(paths, pipeline, each)
            if found.layout == layout:
                return found
    return None


def document(paths: Paths, source: PipelineSource, digest: str) -> Compiled:
    """Changes nothing. Raises :class:`WirespeedError` where it is not kept, or cannot be converted."""
    found = known(paths, source, digest)
    if found is not None:
        return found
    other = store.document(paths, source.manifest.name, digest)
    before = _tables(paths, other.pipeline, other.layout)
    if before is None:
        place = Place(f"configuration {digest[:12]}")
        problem = f"was compiled for tables of {other.pipeline} that this node does not know any more."
        raise BadInput(place, "layout", problem, "Deliver it again, compiled for these.")
    return carry_over.converted(other, before, source.manifest.config, source.tables)


def kept(paths: Paths, source: PipelineSource, digest: str) -> Compiled:
    """The same, and what had to be converted is kept: the tables that it was compiled for may be forgotten."""
    found = document(paths, source, digest)
    if found.digest != digest and known(paths, source, digest) is None:
        store.keep(paths, found)
        before = store.history(paths, found.pipeline)
        store.write_history(paths, found.pipeline, before.converted(digest, found.layout, found.digest))
    return found


def _tables(paths: Paths, pipeline: str, layout: str) -> Optional[Mapping[str, Table]]:
    """Of a generation in the store."""
    for generation in records.stored_generations(paths, pipeline):
        try:
            tables = records.stored(paths, pipeline, generation).tables
        except WirespeedError:
            continue
        if layout_of(tables) == layout:
            return tables
    return None
