# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module ``config``, as far as no host is needed to judge them."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from .errors import BadInput, Place
from .model.intent import unknown_word

PLACE = Place("wirespeed.xdp.config")
DELIVERED, ROLLED_BACK = STATES = ("delivered", "rolled_back")
_OF_DOCUMENT = ("document", "tables", "schema", "manifest")


def state(options: Mapping[str, Any]) -> str:
    return str(options.get("state") or DELIVERED)


def check(options: Mapping[str, Any]) -> None:
    """Raises :class:`BadInput`."""
    if state(options) not in STATES:
        raise unknown_word(PLACE, "state", state(options), STATES)
    if not options.get("pipeline") or not isinstance(options["pipeline"], str):
        raise BadInput(PLACE, "pipeline", f"is {options.get('pipeline')!r}.", "Name the pipeline as its manifest does.")
    if state(options) == ROLLED_BACK:
        _absent(options, _OF_DOCUMENT, "is not for state rolled_back: the rows are on the node.")
        return
    _absent(options, ("version",), "is not for state delivered; 'expected_version' is the one that it is to follow.")
    if options.get("document") is None and options.get("tables") is None:
        raise BadInput(PLACE, "document", "is missing.", "Name a document, or give its rows with 'tables'.")
    if options.get("document") is not None:
        _absent(options, ("tables", "schema"), "is part of the document.")


def inline(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document that ``tables`` and ``schema`` are; a number in quotes is what a template makes of one."""
    said = options.get("schema")
    schema = int(said) if isinstance(said, str) and said.isdecimal() else said
    return {
        "pipeline": options["pipeline"],
        "tables": options["tables"],
        **({} if schema is None else {"schema": schema}),
    }


def _absent(options: Mapping[str, Any], names: Sequence[str], why: str) -> None:
    for name in names:
        if options.get(name) is not None:
            raise BadInput(PLACE, name, why, "Remove it.")
