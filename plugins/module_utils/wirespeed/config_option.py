# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``config`` of the module ``nic``: an intent's ``nics``, without what is about XDP."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Iterator, Mapping

from .errors import BadInput, Place
from .model import intent as intents
from .model.intent import Intent

PLACE = Place("wirespeed.xdp.nic")
ABOUT_XDP = ("pipeline", "mode", "redirect_to", "foreign", "profile_tuning")


def parse(config: Any, merge: bool) -> Intent:
    """With ``merge`` the profiles give no tuning of their own. Raises :class:`BadInput`."""
    for i, entry in enumerate(config if isinstance(config, (list, tuple)) else ()):
        for key in ABOUT_XDP:
            if isinstance(entry, Mapping) and entry.get(key) is not None:
                raise BadInput(
                    PLACE,
                    f"config[{i}].{key}",
                    "is not for this module, which leaves the XDP hook as it is.",
                    "Remove it, or use the module wirespeed.xdp.node.",
                )
    with told_of_config():
        intent = intents.parse({"nics": config}, PLACE)
    return replace(intent, nics=tuple(replace(nic, profile_tuning=not merge) for nic in intent.nics))


@contextmanager
def told_of_config() -> Iterator[None]:
    """An error about the intent's ``nics`` calls it ``config``, as the user does."""
    try:
        yield
    except BadInput as error:
        if error.place != PLACE or not error.field.startswith("nics"):
            raise
        field = f"config{error.field[len('nics') :]}"
        raise BadInput(PLACE, field, error.detail, error.remedy) from None
