# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is wrong with a directory of profiles, not only the first thing."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, List, Tuple

from . import expression
from .counters import table
from .errors import BadInput
from .model.intent import unknown_word
from .model.settings import Setting
from .namespace import KNOWN
from .profiles.document import Document, ProfileSet
from .profiles.load import BUILT_IN, expressions, files, load, mistakes, name_mistakes, read

_BY_SETTING = ("max", "fixed", "floating", "requested")


def lint(directory: Path) -> List[BadInput]:
    """By file and line. Raises :class:`BadInput` when ``directory`` is none."""
    found: List[BadInput] = []
    sound: List[Document] = []
    built_in = () if directory.resolve() == BUILT_IN else load([BUILT_IN]).documents
    for path in files(directory):
        try:
            document = read(path, 1 if built_in else 0)
        except BadInput as mistake:
            found.append(mistake)
            continue
        wrong = mistakes(document) or list(_meaning(document))
        found += wrong
        sound += [] if wrong else [document]
    return found + list(name_mistakes(ProfileSet((*built_in, *sound))))


def _meaning(document: Document) -> Iterator[BadInput]:
    """What neither the schema nor the grammar of expressions can see."""
    for keys, text in expressions(document.data):
        for chain in expression.dotted(text):
            yield from _strange_name(document, keys, chain)
    order = document.data.get("order", ())
    missing = [name for name in (*(setting.value for setting in Setting), "attach") if order and name not in order]
    if missing:
        yield BadInput(
            document.place(("order",)), "order", f"lacks {', '.join(missing)}.", "List every operation once."
        )
    if "counters" in document.data:
        try:
            table.parse(document.data["counters"], document.place(("counters",)))
        except BadInput as mistake:
            yield mistake


def _strange_name(document: Document, keys: Tuple[str, ...], chain: Tuple[str, ...]) -> Iterator[BadInput]:
    place, field = document.place(keys), ".".join(keys)
    root = chain[0]
    if root == "value" and keys[-1] == "becomes":
        return
    if root not in KNOWN:
        yield unknown_word(place, field, root, list(KNOWN))
    elif root == "planned" and _too_early(keys, chain):
        early = ".".join(chain[:2])
        problem = f"{early!r} is not known in {'.'.join(keys[:2])}: it is made of the values that stand here."
        yield BadInput(place, field, problem, "Use 'nic', which is the NIC as it is.")
    elif len(chain) > 1 and KNOWN[root] and chain[1] not in KNOWN[root]:
        yield unknown_word(place, field, f"{root}.{chain[1]}", [f"{root}.{name}" for name in KNOWN[root]])
    elif len(chain) > 2 and root == "nic" and chain[1] in _BY_SETTING:
        known = [setting.value for setting in Setting]
        if chain[2] not in known:
            yield unknown_word(place, field, ".".join(chain[:3]), [f"nic.{chain[1]}.{name}" for name in known])


def _too_early(keys: Tuple[str, ...], chain: Tuple[str, ...]) -> bool:
    """Tuning is what a plan is made of. The limits of a setting know the settings that come before it."""
    if keys[0] != "limits":
        return keys[0] == "tuning"
    order = [setting.value for setting in Setting]
    here, named = keys[1], chain[1] if len(chain) > 1 else ""
    return named not in order or here not in order or order.index(named) >= order.index(here)
