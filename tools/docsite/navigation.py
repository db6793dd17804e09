# SPDX-License-Identifier: GPL-3.0-or-later
"""The site's navigation: what mkdocs.yml lists, without pages that are not there, with pages that it does not know."""

from __future__ import annotations

from typing import Any, List, Sequence, Set

MORE = "More"


def fitted(nav: Sequence[Any], pages: Set[str]) -> List[Any]:
    """``nav`` as mkdocs has it; ``pages`` are the paths below the site's source that exist."""
    kept = [each for each in (_kept(entry, pages) for entry in nav) if each is not None]
    unknown = sorted(pages - set(_files(kept)))
    return [*kept, {MORE: unknown}] if unknown else kept


def _kept(entry: Any, pages: Set[str]) -> Any:
    if isinstance(entry, str):
        return entry if entry in pages else None
    ((title, below),) = entry.items()
    if isinstance(below, str):
        return entry if below in pages else None
    kept = [each for each in (_kept(one, pages) for one in below) if each is not None]
    return {title: kept} if kept else None


def _files(nav: Sequence[Any]) -> List[str]:
    found: List[str] = []
    for entry in nav:
        below = entry if isinstance(entry, str) else next(iter(entry.values()))
        found += [below] if isinstance(below, str) else _files(below)
    return found
