# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module ``pipeline``: an intent of one pipeline, whose NICs are not tuned."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping

from .errors import BadInput, Place
from .model import intent as intents
from .model.intent import SELECTORS, unknown_word

PLACE = Place("wirespeed.xdp.pipeline")
STATES = ("attached", "detached", "rolled_back")
OF_PIPELINE = ("name", "manifest", "tables", "constants", "attach")
FOR_ALL_NICS = ("mode", "max_disruption", "foreign")
OF_NIC = (*SELECTORS, "workload", "profile", "redirect_to", *FOR_ALL_NICS)
NOT_FOR = {
    "attached": {"generation": "is not for state attached: the manifest says what is attached."},
    "detached": {"generation": "is not for state detached: the NICs lose the pipeline, whatever runs."},
    "rolled_back": {
        "nics": "is not for state rolled_back: all NICs of a pipeline run the same generation.",
        "tables": "is not for state rolled_back: the rows come back with the generation.",
        "constants": "is not for state rolled_back: the constants come back with the generation.",
    },
}


def check(options: Mapping[str, Any]) -> None:
    """Raises :class:`BadInput` for options that no host is needed to refuse."""
    state = options.get("state") or "attached"
    if state not in STATES:
        raise unknown_word(PLACE, "state", str(state), STATES)
    if not options.get("name") or not isinstance(options["name"], str):
        raise BadInput(PLACE, "name", f"is {options.get('name')!r}.", "Name the pipeline as its manifest does.")
    for key, why in NOT_FOR[state].items():
        if options.get(key) is not None:
            raise BadInput(PLACE, key, why, "Remove it.")
    if state == "attached":
        with told_of_options():
            intents.parse(intent(options), PLACE)
    elif state == "detached":
        names(options)


def names(options: Mapping[str, Any]) -> List[str]:
    """The NICs that are to lose the pipeline; none means all that carry it."""
    given = options.get("nics")
    if given is None:
        return []
    found = []
    for i, nic in enumerate(_entries(given)):
        if not isinstance(nic.get("name"), str):
            raise BadInput(PLACE, f"nics[{i}]", f"{given[i]!r} has no name.", "To detach, say which NICs by name.")
        found.append(str(nic["name"]))
    return found


def intent(options: Mapping[str, Any]) -> Dict[str, List[Dict[str, Any]]]:
    """Of state attached, as plain data. Raises :class:`BadInput`."""
    shared = {key: options[key] for key in FOR_ALL_NICS if options.get(key) is not None}
    if not options.get("nics"):
        raise BadInput(PLACE, "nics", "is missing: state attached says with it which NICs carry the pipeline.")
    own = {"pipeline": options["name"], "profile_tuning": False}
    nics = [{**shared, **entry, **own} for entry in _entries(options["nics"])]
    pipeline = {key: options[key] for key in OF_PIPELINE if options.get(key) is not None}
    return {"nics": nics, "pipelines": [pipeline]}


def _entries(nics: Any) -> List[Dict[str, Any]]:
    if not isinstance(nics, (list, tuple)) or not nics:
        raise BadInput(PLACE, "nics", f"is {nics!r}, not a list of NICs.", "Give at least one name, or leave it out.")
    return [_entry(nic, f"nics[{i}]") for i, nic in enumerate(nics)]


def _entry(nic: Any, field: str) -> Dict[str, Any]:
    if isinstance(nic, str):
        return {"name": nic}
    if not isinstance(nic, Mapping):
        raise BadInput(PLACE, field, f"is {nic!r}, neither a name nor a mapping.")
    given = {key: value for key, value in nic.items() if value is not None}
    for key in given:
        if key == "tuning":
            hint = "Remove it, or use the module wirespeed.xdp.nic or wirespeed.xdp.node."
            raise BadInput(PLACE, f"{field}.{key}", "is not for this module, which tunes nothing.", hint)
        if key == "pipeline":
            raise BadInput(PLACE, f"{field}.{key}", "is not for this module.", "The pipeline is the option 'name'.")
        if key not in OF_NIC:
            raise unknown_word(PLACE, f"{field}.{key}", str(key), OF_NIC)
    return given


@contextmanager
def told_of_options() -> Iterator[None]:
    """An error about the intent's one pipeline names the option, as the user does."""
    try:
        yield
    except BadInput as error:
        head, _, field = error.field.partition(".")
        if head not in ("pipelines", "pipelines[0]") or error.place not in (PLACE, Place("intent")):
            raise
        raise BadInput(PLACE, field, error.detail, error.remedy) from None
